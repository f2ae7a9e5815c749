#include "gen.h"
int w = V;
