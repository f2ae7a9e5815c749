#include "b\x.h"
int v = V;
