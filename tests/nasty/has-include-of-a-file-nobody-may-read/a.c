int v =
#if __has_include("x.h")
1;
#else
0;
#endif
