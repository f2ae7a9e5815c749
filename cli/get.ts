/** `llama get`: gets an object from the object store. */
import { openSession } from "../daemon/session.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { sessionInputs } from "./session_inputs.ts";
import { fetchTo, readId } from "./stored_object.ts";

const USAGE = `get an object from the object store

usage: llama get [-o FILE] ID

  -o, -output FILE  write to FILE; to standard output unless given

ID is what "llama store" printed. The bytes are checked against it.

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  llama get -o copy "$(llama store README.md)"
  llama get "$(llama store src.tar)" | tar -t
`;

/** Gets an object. */
export const get: Command = {
  usage: USAGE,
  flags: [{ name: "output", kind: "value", aliases: ["o"], takes: "FILE" }],
  run,
};

async function run(context: CommandContext): Promise<number> {
  const { operands, flags, output, signal } = context;
  const [text, ...others] = operands;
  if (text === undefined || others.length > 0) {
    throw usageError("One ID is needed", "see llama help get");
  }
  const id = readId(text);
  const target = flags.value("output");
  if (output.json && target === undefined) throw usageError("The flag -json needs -output");
  const { store } = await openSession(sessionInputs(context));
  if (target === undefined) {
    await store.take(id, (bytes) => output.bytes(bytes));
    return 0;
  }
  const size = await fetchTo(store, id, target, signal);
  await output.result({ id, file: target, size }, "");
  return 0;
}
