#if __has_include("x.h/y.h")
#error no
#endif
#include "x.h"
int v = V;
