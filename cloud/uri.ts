/** Percent-encoding by RFC 3986 as AWS demands it of signatures: unreserved letters stay, hex is upper case. */

const UNRESERVED = /[A-Za-z0-9._~-]/;

/** Encodes every byte of the UTF-8 form that is not unreserved; `keep` names further letters that stay. */
export function encodeUri(text: string, keep = ""): string {
  if (/^[A-Za-z0-9._~-]*$/.test(text)) return text;
  let encoded = "";
  for (const letter of text) {
    if (UNRESERVED.test(letter) || keep.includes(letter)) encoded += letter;
    else {
      for (const byte of new TextEncoder().encode(letter)) {
        encoded += `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
      }
    }
  }
  return encoded;
}

/** Decodes `%XX`; undefined if it is no UTF-8 or a `%` stands alone. `+` stays. */
export function decodeUri(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // The caller says what was wrong with its text.
    return undefined;
  }
}
