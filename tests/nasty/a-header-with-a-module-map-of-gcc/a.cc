import <vector>;
int v;
