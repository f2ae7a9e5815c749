#include "ways.h"
int v;
