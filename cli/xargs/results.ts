/** What jobs print, kept in a folder as parallel(1) keeps it: `DIR/1/LINE/stdout`, `stderr` and `seq`. */
import { replaceFile } from "../../daemon/write_output.ts";
import type { Line } from "./lines.ts";

/** Longest name of a file (limits.h, NAME_MAX). */
const MAX_NAME_BYTES = 255;

/** Writes what the job of `line` printed below `folder`. */
export async function writeResults(
  folder: string,
  line: Line,
  printed: { readonly stdout: Uint8Array; readonly stderr: Uint8Array },
): Promise<void> {
  const own = `${folder}/1/${nameOf(line)}`;
  await Deno.mkdir(own, { recursive: true });
  await replaceFile(`${own}/stdout`, printed.stdout, 0o644);
  await replaceFile(`${own}/stderr`, printed.stderr, 0o644);
  await replaceFile(`${own}/seq`, new TextEncoder().encode(String(line.seq)), 0o644);
}

/** A line as the name of a folder: parallel(1), "--results", has these escapes. One too long has its number. */
function nameOf({ seq, text }: Line): string {
  const name = text.replaceAll("\\", "\\\\").replaceAll("/", "\\_").replaceAll("\t", "\\t")
    .replaceAll("\0", "\\0");
  const isName = name !== "" && name !== "." && name !== "..";
  const isShort = new TextEncoder().encode(name).length <= MAX_NAME_BYTES;
  return isName && isShort ? name : `#${seq}`;
}
