#include "shut/in/x.h"
int v = V;
