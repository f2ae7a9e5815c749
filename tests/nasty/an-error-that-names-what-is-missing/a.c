#include <in/x.h>
