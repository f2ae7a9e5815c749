/** `llama store`: puts files into the object store and prints their names there. */
import { openSession } from "../daemon/session.ts";
import { LARGE_BYTES } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import { digestOfFile } from "../store/large_object.ts";
import type { ObjectStore } from "../store/object_store.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { refuseTooLarge } from "./job_inputs.ts";
import { readStdin } from "./job_stdin.ts";
import { sessionInputs } from "./session_inputs.ts";

const USAGE = `put files into the object store

usage: llama store [-json] FILE...

Prints the ID of each file, the SHA-256 of its bytes, in the order of the files.
FILE may be - for standard input.

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  llama store README.md
  tar -c src | llama store -
`;

/** Puts files into the object store. */
export const store: Command = { usage: USAGE, flags: [], operands: "files", run };

async function run(context: CommandContext): Promise<number> {
  const { operands, output, signal } = context;
  if (operands.length === 0) throw usageError("The file is missing", "see llama help store");
  const { store } = await openSession(sessionInputs(context));
  const stored: { file: string; id: string; size: number }[] = [];
  for (const file of operands) {
    signal.throwIfAborted();
    stored.push({ file, ...await put(file, store, context) });
  }
  await output.result(stored, stored.map(({ id }) => id).join("\n"));
  return 0;
}

async function put(
  file: string,
  store: ObjectStore,
  { llamaDir, signal }: CommandContext,
): Promise<{ id: Digest; size: number }> {
  if (file === "-") {
    await using stdin = await readStdin(llamaDir, signal);
    if (stdin.file !== undefined) return await putFile(stdin.file, store, signal);
    const { bytes = new Uint8Array() } = stdin;
    return { id: await store.put(bytes), size: bytes.length };
  }
  const { size, isFile } = await Deno.stat(file);
  if (isFile && size >= LARGE_BYTES) {
    refuseTooLarge(file, size);
    return await putFile(file, store, signal);
  }
  const bytes = await Deno.readFile(file);
  return { id: await store.put(bytes), size: bytes.length };
}

async function putFile(
  path: string,
  store: ObjectStore,
  signal: AbortSignal,
): Promise<{ id: Digest; size: number }> {
  const id = await digestOfFile(path, signal);
  await store.putFile(id, path);
  return { id, size: (await Deno.stat(path)).size };
}
