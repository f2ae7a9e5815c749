#if 0
#elif defined X && __has_include("x.h") || __has_include(<y.h>)
int v = 1;
#else
int v = 0;
#endif
