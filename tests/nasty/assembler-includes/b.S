#include "x.h"
.include "x.inc"
.long V + W
