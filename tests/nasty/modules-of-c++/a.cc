import m;
int v() { return f(); }
