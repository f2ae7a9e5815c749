#include "x.h"
const char *s = "never ends
