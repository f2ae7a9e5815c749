/** Writes event streams for tests of who reads them. */
import { crc32 } from "node:zlib";

/** An event as Lambda sends it. */
export function event(
  type: string,
  payload: string | Uint8Array,
  messageType = "event",
): Uint8Array {
  const encoder = new TextEncoder();
  const header = (name: string, value: string) => [
    ...[name.length, ...encoder.encode(name), 7, 0, value.length, ...encoder.encode(value)],
  ];
  const headers = [
    ...header(messageType === "event" ? ":event-type" : ":exception-type", type),
    ...header(":message-type", messageType),
  ];
  const body = typeof payload === "string" ? encoder.encode(payload) : payload;
  const bytes = new Uint8Array(16 + headers.length + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length);
  view.setUint32(4, headers.length);
  view.setUint32(8, crc32(bytes.subarray(0, 8)));
  bytes.set(headers, 12);
  bytes.set(body, 12 + headers.length);
  view.setUint32(bytes.length - 4, crc32(bytes.subarray(0, bytes.length - 4)));
  return bytes;
}

/** The bytes of events, one behind the other. */
export function stream(...events: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(events.flatMap((event) => [...event]));
}
