#if !A
#include "1.h"
#endif
#if A || 1
#include "2.h"
#endif
#if A == 0 && B < 1
#include "3.h"
#endif
#if A ? 0 : 1
#include "4.h"
#endif
#ifdef A
#elif B + 1
#include "5.h"
#endif
#ifdef A
#else
#include "6.h"
#endif
#if 0
/*
#endif
*/
#include "none.h"
#elif -1
#include "7.h"
#endif
#if A
#ifdef B
#endif
#include "none.h"
# else
#include "8.h"
#endif
const char *s = "\
#ifdef A\
";
#include "9.h"
/*
#ifdef A
*/
#include "10.h"
#undef A
#define A 1
#if A
#include "11.h"
#endif
#undef A
#ifdef A
#include "none.h"
#endif
#if (defined A \
  || ~A)
#include "12.h"
#endif
