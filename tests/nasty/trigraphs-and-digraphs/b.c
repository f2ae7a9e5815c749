%:include "x.h"
%:define S(x) %:x
int v = V;
