#define H 7
#include H
int v;
