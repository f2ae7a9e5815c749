#include "sub/x.h"
int l = __INCLUDE_LEVEL__ + __LINE__ + __COUNTER__;
const char *b = __BASE_FILE__, *f = __FILE__;
