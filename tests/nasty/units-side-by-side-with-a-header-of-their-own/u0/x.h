#define V 0
