#include "sub/"
