#pragma once
#ifdef __cplusplus
#define V 2
#else
#define V 1
#endif
