__asm__(".data\n.globl v\nv: .incbin \"" FILE "\"\n");
