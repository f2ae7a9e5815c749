#include "h0.h"
int v = V;
