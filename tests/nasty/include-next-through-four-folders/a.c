#include <x.h>
int v = A1 + A2 + A3 + A4;
