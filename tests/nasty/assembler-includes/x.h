#define W 10
