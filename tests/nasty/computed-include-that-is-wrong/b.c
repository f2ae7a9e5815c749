#define H
#include H
