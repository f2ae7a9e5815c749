/* #include "no.h" */
// #include "no.h"
#if 0
#include "no.h"
#endif
const char *s = "\
#include \"no.h\"";
#include "x.h"
int v = V;
