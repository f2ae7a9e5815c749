#ifdef COMPUTED
#define PASTE(x) <five.h>
#include NAMED
#endif
#include "ways.h"
int v = __LINE__;
