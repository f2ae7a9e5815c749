#include "none/../x.h"
int v = V;
