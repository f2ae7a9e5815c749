#include "x.h"
#include <errno.h>
int v = V;
