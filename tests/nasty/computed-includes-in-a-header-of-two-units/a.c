#define WHICH in/one.def
#include "pick.h"
int v = V;
