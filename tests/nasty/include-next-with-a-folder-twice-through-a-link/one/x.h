#ifndef ONCE
#define ONCE
#include_next <x.h>
#else
#define V 5
#endif
