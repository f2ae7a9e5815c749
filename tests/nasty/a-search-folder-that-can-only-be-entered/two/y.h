#define V 3
