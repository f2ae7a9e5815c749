import { timingSafeEqual as equal } from "node:crypto";

export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && equal(a, b);
}
