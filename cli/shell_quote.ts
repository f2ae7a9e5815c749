/** Words as a shell reads them. */

/** Quotes `text` for a POSIX shell. */
export function shellQuote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What has a letter of its own between `$'` and `'` (POSIX.1-2024, 2.2.4, Dollar-Single-Quotes). */
const LETTERS: Readonly<Record<string, string | undefined>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "'": "\\'",
  "\\": "\\\\",
};

/** A command as one line that bash reads back as the same words, whatever is in them. */
export function commandLine(args: readonly string[]): string {
  return args.map(oneLine).join(" ");
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  if (!/[\x00-\x1f\x7f]/.test(text)) return shellQuote(text);
  // deno-lint-ignore no-control-regex
  const escaped = text.replaceAll(
    /[\x00-\x1f\x7f'\\]/g,
    (character) =>
      LETTERS[character] ?? `\\${character.charCodeAt(0).toString(8).padStart(3, "0")}`,
  );
  return `$'${escaped}'`;
}
