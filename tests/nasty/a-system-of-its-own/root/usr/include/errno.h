#define EPERM 90
