#include "a.d"
int v;
