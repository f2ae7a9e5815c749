/** A real C++ library to compile: LevelDB 1.20 with Snappy 1.1.7, as the package leveldown carries them. */
import type { PinnedPackage } from "./tools.ts";

/** The package, pinned. */
export const LEVELDB: PinnedPackage = {
  name: "leveldown",
  version: "6.1.1",
  integrity:
    "sha512-88c+E+Eizn4CkQOBHwqlCJaTNEjGpaEIikn1S+cINc5E9HEvJ77bqY4JY/HxT5u0caWqsc3P3DcFIKBI1vHt+A==",
};
