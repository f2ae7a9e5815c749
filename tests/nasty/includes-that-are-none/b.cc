const char *r = R"x(
#include "no.h"
)x";
#include "x.h"
int v = V;
