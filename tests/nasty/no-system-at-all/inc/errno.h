#define EPERM 91
