/** The escaping of `html`, `js` and `urlquery`. */
import { isPrintable } from "./quote.ts";
import { bytesOf, hasLooseBytes } from "./text.ts";

const HTML: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

const SCRIPT: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", '"': '\\"' };

/** Text that HTML shows as it is. */
export function escapeHtml(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00"'&<>]/g, (character) => HTML[character] ?? character);
}

/** Text for between the quotes of a string of JavaScript. */
export function escapeScript(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\\'"<>&=\x00-\x1f]|[^\x00-\x7f]/gu, (rune) => {
    if (rune > "\x7f" && (isPrintable(rune) || hasLooseBytes(rune))) return rune;
    const code = (rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return SCRIPT[rune] ?? `\\u${code}`;
  });
}

/** Text for a value in the query of a URL: spaces become plus signs. */
export function escapeQuery(text: string): string {
  let escaped = "";
  for (const byte of bytesOf(text)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z\d._~-]/.test(character)) escaped += character;
    else if (byte === 0x20) escaped += "+";
    else escaped += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}
