#define H "x.h" junk
#include H
int v = V;
