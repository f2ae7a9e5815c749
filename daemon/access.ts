/** access(2) called straight through libc: Deno has no word for it, and 2 µs are little for each output. */

/** access(2): the right to write. */
const W_OK = 2;

/** Whether this user may write to the file, or into the folder; links are followed. */
export type CanWrite = (path: string) => boolean;

/** Opens access; `undefined` where libc cannot be loaded. */
export function openAccess(): CanWrite | undefined {
  let access;
  try {
    access = Deno.dlopen("libc.so.6", {
      access: { parameters: ["buffer", "i32"], result: "i32" },
    }).symbols.access;
  } catch (error) {
    // Another libc, or no right to call it: the caller does without.
    if (error instanceof Error) return undefined;
    throw error;
  }
  const call = access;
  const encoder = new TextEncoder();
  return (path) => !path.includes("\0") && call(encoder.encode(`${path}\0`), W_OK) === 0;
}
