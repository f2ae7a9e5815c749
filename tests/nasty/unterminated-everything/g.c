#include "y.h"
int v = 1;
