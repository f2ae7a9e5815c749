#include <limits.h>
#include <stddef.h>
int v = INT_MAX;
int w = sizeof(size_t) + X;
