#define INC(x) x
int f(int, int);
int v = INC(
#include "x.h"
);
