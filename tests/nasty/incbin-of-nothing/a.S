.data
.incbin "/dev/null"
.byte 1
