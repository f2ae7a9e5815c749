#include ".//sub/././/x.h"
#include <sub//../sub/y.h>
int v = V + W;
