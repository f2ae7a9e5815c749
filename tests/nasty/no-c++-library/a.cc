#include <vector>
int v = V;
