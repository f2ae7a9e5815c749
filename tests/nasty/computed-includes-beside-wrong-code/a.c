#define S(x) #x
#define I(d) S(d/x.h)
#include I(one)
#include I(two)
#include I(three)
#include I(four)
int v = V1 + V2 + V3 + V4;
int w = none;
