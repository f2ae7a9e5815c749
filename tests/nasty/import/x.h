#define V 1
int w = 1;
