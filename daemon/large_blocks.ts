/**
 * Has libc give large blocks of memory back to the system once they are freed. By itself it raises the size from which on
 * it does so to that of the largest block that was ever freed: a daemon that has hashed and packed a toolchain of 100 MB
 * kept 270 MB for good where 135 are enough.
 */

/** mallopt(3), M_MMAP_THRESHOLD of malloc.h; setting it keeps it from being raised. */
const M_MMAP_THRESHOLD = -3;
/** Smaller ones, such as those in which objects are packed, are used again and again. */
const THRESHOLD_BYTES = 1024 * 1024;

/** Sets it for this process; nothing happens with another libc. */
export function giveLargeBlocksBack(): void {
  try {
    const libc = Deno.dlopen("libc.so.6", {
      mallopt: { parameters: ["i32", "i32"], result: "i32" },
    });
    libc.symbols.mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES);
    libc.close();
  } catch (error) {
    // Another libc, or no right to call it: the daemon only takes more memory.
    if (!(error instanceof Error)) throw error;
  }
}
