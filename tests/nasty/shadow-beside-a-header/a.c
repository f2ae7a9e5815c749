#include "sub/y.h"
int v = V;
