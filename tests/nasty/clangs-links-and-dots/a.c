#include "way/../x.h"
int v = V;
