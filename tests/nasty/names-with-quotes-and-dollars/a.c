#include "it's $HOME `x`;.h"
int v = V;
