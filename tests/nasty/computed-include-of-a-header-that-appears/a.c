#include H
int v = V;
