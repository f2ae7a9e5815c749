#include "x.h"
int v = V;
const char *t = __TIMESTAMP__;
