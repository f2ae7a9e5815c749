int v = V + W;
