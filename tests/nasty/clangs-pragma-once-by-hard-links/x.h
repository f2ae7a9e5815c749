#pragma once
#ifdef SEEN
#define LIST 1, 2
#else
#define LIST 1
#define SEEN
#endif
