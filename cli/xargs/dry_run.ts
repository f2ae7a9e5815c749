/** `xargs -dry-run`: the commands, and nothing runs. */
import type { CommandContext } from "../command.ts";
import type { ExpandedJob } from "../job_template.ts";
import { commandLine } from "../shell_quote.ts";
import type { Line, Lines } from "./lines.ts";

/** Commands are written together, not one by one: there may be millions. */
const WRITE_BYTES = 64 * 1024;

/** Prints the command of each line as one line that bash reads back. */
export async function printCommands(
  lines: Lines,
  expand: (line: Line) => ExpandedJob,
  { output, signal }: CommandContext,
): Promise<number> {
  const encoder = new TextEncoder();
  const buffer = new Uint8Array(WRITE_BYTES);
  let used = 0;
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    signal.throwIfAborted();
    const text = `${commandLine(expand(line).args)}\n`;
    // A UTF-16 unit is at most three bytes of UTF-8.
    if (used + text.length * 3 > buffer.length) {
      await output.bytes(buffer.subarray(0, used));
      used = 0;
    }
    if (text.length * 3 > buffer.length) await output.bytes(encoder.encode(text));
    else used += encoder.encodeInto(text, buffer.subarray(used)).written;
  }
  await output.bytes(buffer.subarray(0, used));
  return 0;
}
