#define A3 1000
#include_next <x.h>
