#include <x.h>
int v = V;
