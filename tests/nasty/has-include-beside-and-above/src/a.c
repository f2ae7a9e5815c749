int v =
#if __has_include("../x.h")
1
#endif
#if __has_include("./x.h")
+ 2
#endif
+ 0;
