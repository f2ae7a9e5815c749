/** `llama get`: gets an object from the object store. */
import { openSession } from "../daemon/session.ts";
import { asDigest, type Digest } from "../job/digest.ts";
import { FormatError } from "../job/errors.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { writeOutputs } from "./job_files.ts";
import { sessionInputs } from "./session_inputs.ts";

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
  const id = digestOf(text);
  const target = flags.value("output");
  if (output.json && target === undefined) throw usageError("The flag -json needs -output");
  const { store } = await openSession(sessionInputs(context));
  const bytes = await store.get(id);
  if (target === undefined) {
    await output.bytes(bytes);
    return 0;
  }
  const file = { kind: "file", path: id, mode: 0o666, content: { bytes } } as const;
  await writeOutputs([file], [{ local: target, remote: id }], () => Promise.resolve(bytes), signal);
  await output.result({ id, file: target, size: bytes.length }, "");
  return 0;
}

function digestOf(text: string): Digest {
  try {
    return asDigest(text, "ID");
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw usageError(`${JSON.stringify(text)} is not an ID`, "an ID has 64 hexadecimal digits");
  }
}
