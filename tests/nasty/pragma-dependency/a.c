#pragma GCC dependency "x.h" look again
int v;
