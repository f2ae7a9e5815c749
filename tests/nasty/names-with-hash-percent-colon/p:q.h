#define X 3
