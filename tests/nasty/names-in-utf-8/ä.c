#include "größe/ünï.h"
#include "日本.h"
int v = V + W;
