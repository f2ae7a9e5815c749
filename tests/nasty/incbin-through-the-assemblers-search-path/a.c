__asm__(".data\n.incbin \"blob\"\n");
int v;
