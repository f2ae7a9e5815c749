/**
 * What a runtime streams of a job that asked for it: frames of what the command prints as it prints it, and at last
 * the answer, which has the rest. A frame is a byte for its kind, four for its length with the highest first, and its
 * bytes. A runtime that has nothing to say before the answer sends that alone, as JSON and no frame: a brace stands
 * for no kind, so the first byte tells the two apart.
 */
import { joinBytes } from "./bytes.ts";
import { FormatError } from "./errors.ts";

/** Where a command prints. */
export type OutputName = "stdout" | "stderr";

/** A part of a streamed answer. */
export interface Frame {
  readonly kind: OutputName | "answer";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Takes a streamed answer's bytes as they come. */
export interface FrameReader {
  /**
   * Returns the frames that are whole with these bytes.
   *
   * @throws {FormatError} If they are none, or one is too long.
   */
  add(bytes: Uint8Array): Frame[];
  /**
   * Returns what is left at the end of an answer that had no frames.
   *
   * @throws {FormatError} If a frame was cut off.
   */
  end(): Frame[];
  /** What there is so far of an answer without frames; undefined if it has frames. */
  plain(): Uint8Array<ArrayBuffer> | undefined;
}

const KINDS = ["stdout", "stderr", "answer"] as const;
const HEAD_BYTES = 5;
/** Answers that are not streamed have 6,291,556 bytes at most, and runtimes keep to that; they print about 4 MiB at once. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;
const BRACE = 0x7b;

/** The bytes of a frame. */
export function encodeFrame({ kind, bytes }: Frame): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEAD_BYTES + bytes.length);
  frame[0] = KINDS.indexOf(kind) + 1;
  new DataView(frame.buffer).setUint32(1, bytes.length);
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

/** Opens a reader. */
export function createFrameReader(): FrameReader {
  let kept: Uint8Array[] = [];
  let size = 0;
  let isJson: boolean | undefined;
  let isAnswered = false;

  const keep = (bytes: Uint8Array) => {
    kept = bytes.length === 0 ? [] : [bytes];
    size = bytes.length;
  };

  return {
    add: (bytes) => {
      if (bytes.length === 0) return [];
      isJson ??= bytes[0] === BRACE;
      kept.push(bytes);
      size += bytes.length;
      if (isJson) {
        if (size > MAX_FRAME_BYTES) throw tooLong(size);
        return [];
      }
      // Parts are joined when a frame is whole, not as each of them comes.
      if (kept.length > 1 && size < wantedOf(kept)) return [];
      const all = joinBytes(kept);
      const frames: Frame[] = [];
      let at = 0;
      while (all.length > at) {
        if (isAnswered) throw new FormatError("streamed answer", "there is more behind the answer");
        if (all.length - at < HEAD_BYTES) break;
        const kind = KINDS[(all[at] ?? 0) - 1];
        if (kind === undefined) {
          throw new FormatError("streamed answer", `a frame is of the kind ${all[at]}`);
        }
        const length = new DataView(all.buffer).getUint32(at + 1);
        if (length > MAX_FRAME_BYTES) throw tooLong(length);
        const end = at + HEAD_BYTES + length;
        if (end > all.length) break;
        frames.push({ kind, bytes: all.slice(at + HEAD_BYTES, end) });
        isAnswered = kind === "answer";
        at = end;
      }
      keep(all.subarray(at));
      return frames;
    },
    end: () => {
      if (isJson) return [{ kind: "answer", bytes: joinBytes(kept) }];
      if (size > 0) throw new FormatError("streamed answer", "a frame is cut off");
      return [];
    },
    plain: () => isJson ? joinBytes(kept) : undefined,
  };
}

/** Bytes of the first frame of `parts`, as far as its head is in the first of them. */
function wantedOf([first = new Uint8Array()]: readonly Uint8Array[]): number {
  if (first.length < HEAD_BYTES) return HEAD_BYTES;
  return HEAD_BYTES + new DataView(first.buffer, first.byteOffset).getUint32(1);
}

function tooLong(length: number): FormatError {
  return new FormatError("streamed answer", `a frame of ${length} bytes is too long`);
}
