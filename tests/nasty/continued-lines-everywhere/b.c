/* c
*/ #include "x.h"
/\
* #include "no.h"
*/
int v = V;
