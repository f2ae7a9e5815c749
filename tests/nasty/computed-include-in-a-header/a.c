#define WHICH "one.h"
#include "pick.h"
int v = V;
