#include "/proc/self/cwd/x.h"
int v = V;
