#include "../../../../../../../../../../../usr/include/errno.h"
int v = EPERM;
