#define WHICH in/two.def
#include "pick.h"
int v = V;
