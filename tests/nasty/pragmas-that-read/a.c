#pragma push_macro("X")
#pragma include_alias("x.h", "y.h")
#include "x.h"
_Pragma("GCC system_header")
int v = V;
