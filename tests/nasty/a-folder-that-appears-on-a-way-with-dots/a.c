#include "none/./../none2/../x.h"
int v = V;
