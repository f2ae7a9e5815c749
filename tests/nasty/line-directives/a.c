#line 7 "other/b.c"
#include "x.h"
const char *f = __FILE__;
int v = V;
