#define WRAPPED 1
#include_next <stdlib.h>
