#include <stdlib.h>
int v = WRAPPED;
void *p(void) { return malloc(3); }
