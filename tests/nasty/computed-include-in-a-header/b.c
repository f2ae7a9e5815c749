#define WHICH "two.h"
#include "pick.h"
int v = V;
