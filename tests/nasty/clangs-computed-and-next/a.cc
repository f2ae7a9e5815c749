#include <vector>
#define H <x.h>
#include H
int v = V;
