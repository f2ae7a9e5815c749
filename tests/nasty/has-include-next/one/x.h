#if __has_include_next(<x.h>)
#include_next <x.h>
#else
#define V 1
#endif
