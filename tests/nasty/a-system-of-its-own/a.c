#include <errno.h>
#include <x.h>
int v = EPERM + V;
