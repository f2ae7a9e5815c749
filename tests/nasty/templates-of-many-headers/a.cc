#include <map>
#include <string>
#include "x.h"
std::map<std::string, int> m{{"k", V}};
int v = m.size();
