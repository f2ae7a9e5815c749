#define H "x.h"
#if __has_include(H)
int v = 1;
#else
int v = 0;
#endif
