#define T int
#include "t.h"
#undef T
#define T long
#include "t.h"
