#include "x y.h"
#include <in n/z  z.h>
int v = V + W;
