#define W
