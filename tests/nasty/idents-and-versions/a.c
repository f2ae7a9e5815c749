#ident "x.h"
#include "x.h"
int v = V;
