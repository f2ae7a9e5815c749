#pragma once
#include "x.h"
#define Y 2
