int two = 2;
