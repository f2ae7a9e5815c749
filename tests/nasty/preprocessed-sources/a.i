# 1 "a.c"
# 1 "x.h" 1
int v = 1;
# 2 "a.c" 2
