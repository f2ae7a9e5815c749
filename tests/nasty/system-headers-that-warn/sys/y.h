int g(void) { int unused; }
