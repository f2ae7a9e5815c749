#include "X.h"
#include "x.h"
int v = V + W;
