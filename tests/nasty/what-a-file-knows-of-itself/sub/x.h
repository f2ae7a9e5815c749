const char *x = __FILE__, *xb = __BASE_FILE__;
int xl = __INCLUDE_LEVEL__ + __COUNTER__;
const char *t = __TIMESTAMP__;
