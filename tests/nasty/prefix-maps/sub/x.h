#define G __FILE__
