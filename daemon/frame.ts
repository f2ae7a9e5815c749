/** Frames and their fields: the bytes under daemon/protocol.ts, which says what they mean. */
import { FormatError, LlamaError } from "../job/errors.ts";

/** Bytes of a frame's header: u32le kind, u32le payload length. */
export const frameHeaderBytes = 8;

/** The longest payload of a frame, in bytes; a longer one ends the connection. */
export const maxPayloadBytes: number = 16 * 1024 * 1024;

/** One message on the socket. */
export interface Frame {
  /** What the payload means, a number of daemon/protocol.ts. */
  readonly kind: number;
  /** The bytes after the header. */
  readonly payload: Uint8Array;
}

/** Where frames are read from: a connection or a file. */
export interface FrameSource {
  /** Reads up to `target.length` bytes and returns how many, or null at the end. */
  read(target: Uint8Array): Promise<number | null>;
}

/**
 * Returns the bytes of a frame.
 *
 * @throws {LlamaError} `FrameTooLong` if the payload is longer than {@linkcode maxPayloadBytes}
 */
export function encodeFrame(kind: number, payload: Uint8Array): Uint8Array {
  checkLength(payload.length);
  const bytes = new Uint8Array(frameHeaderBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, kind, true);
  view.setUint32(4, payload.length, true);
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

/**
 * Yields the frames of a connection until its end.
 *
 * @throws {LlamaError} `FrameTooLong` if a header names more than {@linkcode maxPayloadBytes}
 * @throws {FormatError} if the connection ends inside a frame
 */
export async function* readFrames(source: FrameSource): AsyncGenerator<Frame, void, void> {
  // Small at first, as a daemon holds one for each of its hundreds of clients.
  let buffer = new Uint8Array(8 * 1024);
  let start = 0;
  let end = 0;
  while (true) {
    let frameBytes = frameHeaderBytes;
    if (end - start >= frameHeaderBytes) {
      const view = new DataView(buffer.buffer, start, frameHeaderBytes);
      const length = view.getUint32(4, true);
      checkLength(length);
      frameBytes += length;
      if (end - start >= frameBytes) {
        const payload = buffer.slice(start + frameHeaderBytes, start + frameBytes);
        start += frameBytes;
        yield { kind: view.getUint32(0, true), payload };
        continue;
      }
    }
    if (start > 0) {
      buffer.copyWithin(0, start, end);
      end -= start;
      start = 0;
    }
    if (end === buffer.length) {
      // Grows with what came, not with what a header promises.
      const larger = new Uint8Array(
        Math.min(buffer.length * 2, frameHeaderBytes + maxPayloadBytes),
      );
      larger.set(buffer.subarray(0, end));
      buffer = larger;
    }
    const count = await source.read(buffer.subarray(end));
    if (count === null) {
      if (end > 0) throw new FormatError("a frame", "the connection ended inside it");
      return;
    }
    end += count;
  }
}

function checkLength(bytes: number): void {
  if (bytes <= maxPayloadBytes) return;
  throw new LlamaError(
    "FrameTooLong",
    `Cannot pass a message of ${bytes} bytes to or from the daemon: the limit is ${maxPayloadBytes}`,
  );
}

/** Collects the fields of a payload. */
export interface FieldWriter {
  /** Appends a u32le. */
  u32(value: number): void;
  /** Appends a length and the bytes, of the UTF-8 where `value` is a string. */
  text(value: string | Uint8Array): void;
  /** Appends a count and the strings. */
  list(values: readonly (string | Uint8Array)[]): void;
  /** Returns the payload. */
  finish(): Uint8Array;
}

const encoder = new TextEncoder();

/** Starts an empty payload. */
export function createFields(): FieldWriter {
  let bytes = new Uint8Array(1024);
  let view = new DataView(bytes.buffer);
  let end = 0;
  const reserve = (count: number): void => {
    if (end + count <= bytes.length) return;
    const larger = new Uint8Array(Math.max(bytes.length * 2, end + count));
    larger.set(bytes.subarray(0, end));
    bytes = larger;
    view = new DataView(bytes.buffer);
  };
  const writer: FieldWriter = {
    u32(value) {
      reserve(4);
      view.setUint32(end, value, true);
      end += 4;
    },
    text(value) {
      const raw = typeof value === "string" ? encoder.encode(value) : value;
      writer.u32(raw.length);
      reserve(raw.length);
      bytes.set(raw, end);
      end += raw.length;
    },
    list(values) {
      writer.u32(values.length);
      for (const value of values) writer.text(value);
    },
    finish: () => bytes.slice(0, end),
  };
  return writer;
}

/** Takes the fields of a payload, in their order. */
export interface FieldReader {
  /** Takes a u32le. */
  u32(): number;
  /** Takes a string's bytes, a view of the payload. */
  bytes(): Uint8Array;
  /** Takes a list of strings' bytes, views of the payload. */
  list(): Uint8Array[];
  /** Checks that nothing is left. */
  end(): void;
}

/**
 * Starts to read the fields of `payload`, which is called `what` in messages.
 *
 * @throws {FormatError} from each method if the payload is too short, from `end()` if too long
 */
export function readFields(payload: Uint8Array, what: string): FieldReader {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  let at = 0;
  const need = (bytes: number): void => {
    if (bytes > payload.length - at) throw new FormatError(what, "it ends inside a field");
  };
  const reader: FieldReader = {
    u32() {
      need(4);
      at += 4;
      return view.getUint32(at - 4, true);
    },
    bytes() {
      const length = reader.u32();
      need(length);
      at += length;
      return payload.subarray(at - length, at);
    },
    list() {
      const count = reader.u32();
      need(count * 4);
      const items: Uint8Array[] = [];
      for (let index = 0; index < count; index++) items.push(reader.bytes());
      return items;
    },
    end() {
      if (at !== payload.length) throw new FormatError(what, "bytes follow its last field");
    },
  };
  return reader;
}
