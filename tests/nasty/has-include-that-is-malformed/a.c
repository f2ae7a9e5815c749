#if __has_include("x.h"
int v;
#endif
