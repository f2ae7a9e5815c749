int v = V;
