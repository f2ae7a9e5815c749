#include WHICH
