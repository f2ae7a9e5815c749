#include <string>
#include "string"
int v = V;
