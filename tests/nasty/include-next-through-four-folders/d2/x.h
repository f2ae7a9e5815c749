#define A2 100
#include_next <x.h>
