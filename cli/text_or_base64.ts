/** Bytes in JSON. */

/** A field that holds `bytes` as text; what is not UTF-8 is base64 under another name. */
export function textOrBase64(name: string, bytes: Uint8Array): Record<string, string> {
  try {
    return { [name]: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return { [`${name}Base64`]: bytes.toBase64() };
  }
}
