#include "x.h"
int v = X + Y;
