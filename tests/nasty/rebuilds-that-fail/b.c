int b(void) { return none; }
