#include "x.h"
int v = V; /* never ends
