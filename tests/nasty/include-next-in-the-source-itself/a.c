#include_next <x.h>
int v = V;
