int v[] = {
#if __has_include(<sys/epoll.h>)
1,
#endif
#if __has_include(<sys/nothing.h>)
2,
#endif
#if __has_include(<../include/stdio.h>)
3,
#endif
0};
