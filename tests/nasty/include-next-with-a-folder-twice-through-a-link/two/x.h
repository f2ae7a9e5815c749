#define V 6
