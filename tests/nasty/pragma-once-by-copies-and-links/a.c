#include "x.h"
#include "y.h"
#include "z.h"
#include "l.h"
int v[] = {LIST};
