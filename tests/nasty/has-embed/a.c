int v =
#ifdef __has_embed
#if __has_embed("data.bin")
1
#else
2
#endif
#else
3
#endif
;
