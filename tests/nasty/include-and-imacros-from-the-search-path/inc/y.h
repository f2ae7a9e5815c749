#define W 2
this is not C
