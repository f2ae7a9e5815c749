.include "x.inc"
.long V
