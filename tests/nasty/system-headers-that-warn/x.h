#pragma GCC system_header
int f(void) { int unused; }
