#include "y.h"
#define V 1
