#include "all.h"
int v = SUM;
