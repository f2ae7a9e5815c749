#define A4 10000
