#define S2(x) #x
#define S(x) S2(x)
#include S(WHICH)
