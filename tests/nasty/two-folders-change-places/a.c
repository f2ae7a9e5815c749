#include <one/x.h>
int v = V;
