#include /* c
 c */ "x.h" // c \
#include "no.h"
int v = V;
