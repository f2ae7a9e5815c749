/** `llama store`: puts files into the object store and prints their names there. */
import { openSession } from "../daemon/session.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
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
    const bytes = file === "-"
      ? new Uint8Array(await new Response(Deno.stdin.readable).arrayBuffer())
      : await Deno.readFile(file);
    stored.push({ file, id: await store.put(bytes), size: bytes.length });
  }
  await output.result(stored, stored.map(({ id }) => id).join("\n"));
  return 0;
}
