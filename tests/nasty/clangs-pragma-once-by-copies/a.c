#include "x.h"
#include "y.h"
int v[] = {LIST};
