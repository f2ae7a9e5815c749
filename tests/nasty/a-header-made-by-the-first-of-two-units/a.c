int v = sizeof(int);
