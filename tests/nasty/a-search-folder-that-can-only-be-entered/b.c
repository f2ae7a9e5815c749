#include <y.h>
int v = V;
