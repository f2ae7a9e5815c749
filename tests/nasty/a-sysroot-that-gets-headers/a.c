#if __has_include(<gen.h>)
#include <gen.h>
#else
#define V 0
#endif
int v = V;
