#define W 2
