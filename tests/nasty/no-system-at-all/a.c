#include <errno.h>
int v = EPERM;
