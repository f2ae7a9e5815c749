#include " "
