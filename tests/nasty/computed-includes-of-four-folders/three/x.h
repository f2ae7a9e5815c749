#define V3 1000
