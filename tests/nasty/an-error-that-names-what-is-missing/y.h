#include "../z.h"
