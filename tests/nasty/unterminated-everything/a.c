#include "x.h
int v;
