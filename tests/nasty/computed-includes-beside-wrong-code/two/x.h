#define V2 100
