#include "p#1.h"
#include "p%d.h"
#include "p:q.h"
int v = V + W + X;
