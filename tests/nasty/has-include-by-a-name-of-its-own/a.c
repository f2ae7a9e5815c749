#define ASK __has_include
#ifdef __has_include
#if ASK("x.h")
int v = 1;
#else
int v = 0;
#endif
#endif
