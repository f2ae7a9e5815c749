#include "x.h"
int v = sizeof(S);
