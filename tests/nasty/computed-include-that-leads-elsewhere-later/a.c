#include "config.h"
#include H
int v = V;
