/** `llama multiget`: gets many objects from the object store at once. */
import { openSession } from "../daemon/session.ts";
import type { Digest } from "../job/digest.ts";
import { LlamaError, messageOf } from "../job/errors.ts";
import type { Command, CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { sessionInputs } from "./session_inputs.ts";
import { fetchTo, readId } from "./stored_object.ts";

const USAGE = `get many objects from the object store at once

usage: llama multiget [-json] < LIST

Each line of LIST is an ID, as "llama store" prints it, and after a blank the
file to write; without one the file is named as the ID. So many are fetched at
once as -s3-concurrency says (8). A line that fails is told of on standard
error, and the others go on.

exit status: 0 all done, 1 some failed, 2 wrong call, 130 interrupted

examples:
  llama store a b | llama multiget
  paste -d ' ' <(llama store *.o) <(ls *.o | sed 's,^,copy/,') | llama multiget
`;

const AT_ONCE = 8;

/** Gets many objects. */
export const multiget: Command = { usage: USAGE, flags: [], run };

/** A line of the list. */
interface Wish {
  readonly line: number;
  readonly id: Digest;
  readonly target: string;
}

async function run(context: CommandContext): Promise<number> {
  const { operands, flags, output, signal } = context;
  if (operands.length > 0) {
    throw usageError("IDs come from standard input", "see llama help multiget");
  }
  const { store } = await openSession(sessionInputs(context));
  let failed = 0;
  const wishes = readWishes(Deno.stdin.readable, (line, problem) => {
    failed++;
    output.say(`llama: Line ${line}: ${problem}`);
  });
  const written: { id: Digest; file: string; size: number }[] = [];
  const lane = async () => {
    // The lanes share the list: each takes the next line that nobody has.
    for (let next = await wishes.next(); !next.done; next = await wishes.next()) {
      signal.throwIfAborted();
      const { line, id, target } = next.value;
      try {
        written.push({ id, file: target, size: await fetchTo(store, id, target, signal) });
      } catch (error) {
        if (!(error instanceof LlamaError)) throw error;
        failed++;
        output.say(`llama: Line ${line}: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: flags.integer("s3-concurrency") ?? AT_ONCE }, lane));
  await output.result(written, "");
  return failed > 0 ? 1 : 0;
}

/** The wishes of a list, as they arrive; `complain` hears of lines that are none. */
async function* readWishes(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  complain: (line: number, problem: string) => void,
): AsyncGenerator<Wish, undefined> {
  let rest = "";
  let line = 0;
  const read = (text: string): Wish | undefined => {
    line++;
    const [, word = "", name] = /^[ \t]*(\S+)(?:[ \t](.+))?$/.exec(text) ?? [];
    if (word === "") return undefined;
    try {
      const id = readId(word);
      return { line, id, target: name ?? id };
    } catch (error) {
      if (!(error instanceof LlamaError)) throw error;
      complain(line, `${error.message} (${error.hint})`);
      return undefined;
    }
  };
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const one of lines) {
      const wish = read(one);
      if (wish) yield wish;
    }
  }
  const last = read(rest);
  if (last) yield last;
  return undefined;
}
