#define N <x.h>
#include_next N
