#import "x.h"
#import "x.h"
int v = V;
