__asm__(".data\n.incbin \"b.o\"");
int v;
