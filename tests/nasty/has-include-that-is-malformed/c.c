#if __has_include
#endif
int v;
