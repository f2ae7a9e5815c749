#include "x.h"
#include "y.h"
#include "d/x.h"
int v[] = {LIST};
