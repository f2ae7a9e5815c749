#include "x.h"
int v = V;
#undef V
#include "y.h"
int w = V;
