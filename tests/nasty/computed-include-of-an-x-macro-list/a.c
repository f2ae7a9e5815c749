#define LIST "list.def"
#define X(n) n,
int v[] = {
#include LIST
};
#undef X
#define X(n) n * 2,
int w[] = {
#include LIST
};
