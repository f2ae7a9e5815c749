/** Stand-in for `@std/crypto/timing-safe-equal` over `node:crypto`. */
import { timingSafeEqual as equal } from "node:crypto";

const bytesOf = (value: ArrayBufferView | ArrayBufferLike | DataView): Uint8Array =>
  ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value);

/** Whether both hold the same bytes, compared in a time that does not depend on the bytes. */
export function timingSafeEqual(
  a: ArrayBufferView | ArrayBufferLike | DataView,
  b: ArrayBufferView | ArrayBufferLike | DataView,
): boolean {
  return a.byteLength === b.byteLength && equal(bytesOf(a), bytesOf(b));
}
