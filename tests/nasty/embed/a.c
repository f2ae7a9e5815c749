#if defined __has_embed
const unsigned char d[] = {
#embed "data.bin"
};
#else
int v = 1;
#endif
