#if __GNUC__ > 3 && defined __x86_64__
#include "x.h"
#else
#include "y.h"
#endif
#ifdef __OPTIMIZE__
#include "opt.h"
#endif
int v = V;
