#define V4 10000
