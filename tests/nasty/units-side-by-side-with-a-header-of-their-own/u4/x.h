#define V 4
