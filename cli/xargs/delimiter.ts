/** What ends a line of input, as `-d` gives it. */
import { usageError } from "../flags.ts";

/** Escapes that xargs(1) and parallel(1) know. */
const ESCAPES: Readonly<Record<string, string | undefined>> = {
  "0": "\0",
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
};

/**
 * Reads a delimiter: text, in which escapes such as `\n`, `\t`, `\0`, `\x2c` and `\054` stand for characters.
 *
 * @throws {LlamaError} With code `Usage`, if it is empty or has another escape.
 */
export function parseDelimiter(text: string): string {
  if (text === "") throw usageError("The flag -d takes a delimiter, not an empty text");
  return text.replaceAll(/\\(x[0-9a-f]{1,2}|[0-7]{2,3}|.?)/gis, (whole, code: string) => {
    if (/^x./i.test(code)) return character(Number.parseInt(code.slice(1), 16), whole);
    if (/^[0-7]{2,3}$/.test(code)) return character(Number.parseInt(code, 8), whole);
    const escaped = ESCAPES[code];
    if (escaped === undefined) {
      throw usageError(`The flag -d does not know the escape ${JSON.stringify(whole)}`);
    }
    return escaped;
  });
}

function character(code: number, whole: string): string {
  if (code < 128) return String.fromCharCode(code);
  throw usageError(`The flag -d takes ASCII characters as numbers, not ${JSON.stringify(whole)}`);
}
