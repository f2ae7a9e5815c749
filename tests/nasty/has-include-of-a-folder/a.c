int v =
#if __has_include("dir")
1
#else
0
#endif
+
#if __has_include("dir/")
10
#endif
+ 0;
