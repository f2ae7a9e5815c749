/**
 * Reads "application/vnd.amazon.eventstream" (Smithy, "Amazon Event Stream Specification"). An event has its length
 * and that of its headers, a CRC-32 of these eight bytes, headers, a payload, and a CRC-32 of all before it.
 */
import { joinBytes } from "../job/bytes.ts";
import { FormatError } from "../job/errors.ts";

/** An event. */
export interface StreamEvent {
  /** Headers that are text, such as `:event-type`; others are left out. */
  readonly headers: ReadonlyMap<string, string>;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Takes a stream's bytes as they come. */
export interface EventReader {
  /**
   * Returns the events that are whole with these bytes.
   *
   * @throws {FormatError} If it is no such stream, or a checksum does not match.
   */
  add(bytes: Uint8Array): StreamEvent[];
  /** Whether the stream may end here. */
  isAtEnd(): boolean;
}

/** The checksum of bytes, as node:zlib has it; it is loaded by who streams, as it takes a while. */
export type Crc32 = (bytes: Uint8Array) => number;

const PRELUDE_BYTES = 12;
const MIN_BYTES = 16;
/** Larger than any event that Lambda sends, and a bound for what is kept. */
const MAX_BYTES = 24 * 1024 * 1024;

/** Opens a reader. */
export function createEventReader(crc32: Crc32): EventReader {
  let kept = new Uint8Array();
  return {
    add: (bytes) => {
      const all = kept.length === 0 ? bytes : joinBytes([kept, bytes]);
      const events: StreamEvent[] = [];
      let at = 0;
      while (all.length - at >= PRELUDE_BYTES) {
        const view = new DataView(all.buffer, all.byteOffset + at);
        const size = view.getUint32(0);
        if (crc32(all.subarray(at, at + 8)) !== view.getUint32(8)) {
          throw new FormatError("event stream", "the checksum of an event's length does not match");
        }
        if (size < MIN_BYTES || size > MAX_BYTES) {
          throw new FormatError("event stream", `an event has ${size} bytes`);
        }
        if (all.length - at < size) break;
        const event = all.subarray(at, at + size);
        if (crc32(event.subarray(0, size - 4)) !== view.getUint32(size - 4)) {
          throw new FormatError("event stream", "the checksum of an event does not match");
        }
        events.push(readEvent(event, view.getUint32(4)));
        at += size;
      }
      kept = all.slice(at);
      return events;
    },
    isAtEnd: () => kept.length === 0,
  };
}

function readEvent(event: Uint8Array, headersBytes: number): StreamEvent {
  const end = PRELUDE_BYTES + headersBytes;
  if (end > event.length - 4) {
    throw new FormatError("event stream", "an event's headers are too long");
  }
  return {
    headers: readHeaders(event.subarray(PRELUDE_BYTES, end)),
    payload: event.slice(end, event.length - 4),
  };
}

/** Bytes of a header's value by its type; 6 and 7 have a length of their own in front. */
const VALUE_BYTES: readonly (number | "length")[] = [0, 0, 1, 2, 4, 8, "length", "length", 8, 16];
const TEXT = 7;

function readHeaders(bytes: Uint8Array): Map<string, string> {
  const headers = new Map<string, string>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  let at = 0;
  try {
    while (at < bytes.length) {
      const nameEnd = at + 1 + view.getUint8(at);
      const name = decoder.decode(bytes.subarray(at + 1, nameEnd));
      const type = view.getUint8(nameEnd);
      at = nameEnd + 1;
      const size = VALUE_BYTES[type];
      if (size === undefined) throw new RangeError(`a header's value has the type ${type}`);
      const length = size === "length" ? view.getUint16(at) : size;
      if (size === "length") at += 2;
      if (at + length > bytes.length) throw new RangeError("a header is cut off");
      if (type === TEXT) headers.set(name, decoder.decode(bytes.subarray(at, at + length)));
      at += length;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new FormatError("event stream", error.message, { cause: error });
  }
  return headers;
}
