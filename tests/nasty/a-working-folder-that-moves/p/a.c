#include "../x.h"
int v = V;
const char *f = __FILE__;
