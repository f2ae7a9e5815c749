#include "x.h"
const char *f = __FILE__, *g = G;
