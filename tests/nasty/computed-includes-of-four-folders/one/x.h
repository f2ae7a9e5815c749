#define V1 10
