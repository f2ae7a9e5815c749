#include <x.h> // fine
int v = V;
