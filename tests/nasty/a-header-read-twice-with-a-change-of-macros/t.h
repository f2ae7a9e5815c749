#define C2(a, b) a##b
#define C(a, b) C2(a, b)
T C(v_, T) = sizeof(T);
