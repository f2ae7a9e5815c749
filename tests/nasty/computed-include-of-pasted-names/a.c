#define E(x) <x>
#define DIR in
#define AT(d, f) E(d/f)
#include AT(DIR, x.h)
int v = V;
