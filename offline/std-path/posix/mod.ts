import path from "node:path";

export const { basename, dirname, extname, isAbsolute, join, normalize, relative, resolve } =
  path.posix;
