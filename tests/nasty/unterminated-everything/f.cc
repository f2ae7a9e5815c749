#include "x.h"
const char *s = R"x(never ends
