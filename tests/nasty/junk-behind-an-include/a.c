#include "x.h" junk
int v = V;
