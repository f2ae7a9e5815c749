#define H "one.h"
