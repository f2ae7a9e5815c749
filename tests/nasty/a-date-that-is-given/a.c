const char *d = __DATE__ " " __TIME__;
