#if MODE == 1
#include "one.h"
#elif MODE == 2
#include "two.h"
#else
#include <none.h>
#endif
int v = V;
