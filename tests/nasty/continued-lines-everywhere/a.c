#\
inc\
lude \
"x\
.h"
int v = V;
