#if __has_include(<x.h>)
#include <x.h>
#else
#define V 0
#endif
int v = V;
