#include "."
