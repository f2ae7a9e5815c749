#include "x.h"
#include <none.h>
int v = 1;
