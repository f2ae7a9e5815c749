#pragma once
#ifndef DEEP
#define DEEP
#include "x.h"
int v = 1;
#else
int w = 2;
#endif
