#include "x.h"
#if 1
int v = V;
