#if __has_include("sub/x.h")
#include "sub/x.h"
#else
#define V 0
#endif
int v = V;
