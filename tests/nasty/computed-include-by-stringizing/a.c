#define S(x) #x
#define N(x) S(x.h)
#include N(foo)
int v = V;
