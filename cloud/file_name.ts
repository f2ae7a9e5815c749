/**
 * Names of files for arbitrary text, reversible and safe on every file system that tells case apart.
 *
 * Letters, digits, `-` and `_` stay; every other byte of the UTF-8 form becomes `%XX`. A file name
 * has at most 255 bytes and an S3 key 1,024, which may triple here: so a long name is cut into
 * folders. A folder's name ends in `+` and a file's in `=`, so the two never meet: the key `a` and
 * the key `aa…a` of 900 letters live side by side. (A hash would be shorter, but a listing would
 * have to open every file to learn its key; and folders at each `/` would make the key `a` collide
 * with the folder of `a/b`.)
 */

const PIECE_LENGTH = 200;

/** The relative path under which a thing called `text` is stored. */
export function fileNameOf(text: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(text)) {
    const letter = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9_-]/.test(letter)
      ? letter
      : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  const pieces: string[] = [];
  let at = 0;
  while (encoded.length - at > PIECE_LENGTH) {
    pieces.push(`${encoded.slice(at, at + PIECE_LENGTH)}+`);
    at += PIECE_LENGTH;
  }
  return [...pieces, `${encoded.slice(at)}=`].join("/");
}

/** The text of a relative path made by {@linkcode fileNameOf}, undefined for any other path. */
export function textOfFileName(path: string): string | undefined {
  if (!path.endsWith("=")) return undefined;
  const encoded = path.slice(0, -1).replaceAll("+/", "");
  if (!/^(?:[A-Za-z0-9_-]|%[0-9A-F]{2})*$/.test(encoded)) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    // Not UTF-8, so no name of ours.
    return undefined;
  }
}
