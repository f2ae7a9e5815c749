#include "lib/x.h"
int v = V + W;
