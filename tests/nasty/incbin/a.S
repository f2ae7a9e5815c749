.data
.globl v
v: .incbin "blob"
.incbin "sub/blob", 1, 2
