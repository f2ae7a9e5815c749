.incbin "empty"
.byte 2
