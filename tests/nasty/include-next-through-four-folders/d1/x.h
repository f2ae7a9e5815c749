#define A1 10
#include_next <x.h>
