__asm__(".data\n.incbin \"all\"");
int v;
