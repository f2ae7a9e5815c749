#include "a.h"
int v = V;
