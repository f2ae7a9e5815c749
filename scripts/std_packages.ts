/** Loads what the project takes from JSR: runs with `--cached-only` to learn whether it is cached. */
import "@std/assert";
import "@std/cli/parse-args";
import "@std/crypto/timing-safe-equal";
import "@std/path/posix";
