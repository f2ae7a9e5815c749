#include <sub/x.h>
int v = V;
