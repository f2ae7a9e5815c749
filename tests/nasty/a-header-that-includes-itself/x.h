#ifndef N
#define N 1
#include "x.h"
#elif N == 1
#define V 3
#endif
