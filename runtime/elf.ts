/**
 * The little that the runtime reads of ELF: which loader a program asks for. System V ABI, chapter 4
 * "ELF header" and chapter 5 "Program header"; 32 and 64 bit, either byte order.
 */

/** What the header of an ELF file says about how the kernel starts it. */
export interface ElfProgram {
  /** The `PT_INTERP` segment; absent in a statically linked program and in most libraries. */
  readonly interp?: {
    /** Path of the loader, without its NUL. */
    readonly path: string;
    /** Where the path stands in the file. */
    readonly offset: number;
    /** Bytes of the segment, the NUL included. */
    readonly size: number;
  };
}

/** Reads at most `length` bytes at `offset` of a file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

const PT_INTERP = 3;
const MAX_INTERP_BYTES = 4096;

/** Reads the header of a file; undefined if it is not ELF or is cut off. */
export function readElf(readAt: ReadAt): ElfProgram | undefined {
  const head = readAt(0, 64);
  if (head.length < 52 || head[0] !== 0x7f || String.fromCharCode(...head.slice(1, 4)) !== "ELF") {
    return undefined;
  }
  const wide = head[4] === 2;
  const little = head[5] === 1;
  if (wide && head.length < 64) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const word = (from: DataView, offset: number) =>
    wide ? Number(from.getBigUint64(offset, little)) : from.getUint32(offset, little);
  const tableOffset = word(view, wide ? 32 : 28);
  const entrySize = view.getUint16(wide ? 54 : 42, little);
  const count = view.getUint16(wide ? 56 : 44, little);
  if (entrySize < (wide ? 56 : 32)) return count === 0 ? {} : undefined;
  const table = readAt(tableOffset, entrySize * count);
  for (let index = 0; index < count; index++) {
    const at = index * entrySize;
    if (at + entrySize > table.length) return undefined;
    const entry = new DataView(table.buffer, table.byteOffset + at, entrySize);
    if (entry.getUint32(0, little) !== PT_INTERP) continue;
    const offset = word(entry, wide ? 8 : 4);
    const size = word(entry, wide ? 32 : 16);
    if (size > MAX_INTERP_BYTES) return undefined;
    const bytes = readAt(offset, size);
    const end = bytes.indexOf(0);
    if (bytes.length < size || end < 1) return undefined;
    return { interp: { path: new TextDecoder().decode(bytes.subarray(0, end)), offset, size } };
  }
  return {};
}

/** A reader of bytes in memory. */
export function readAtBytes(bytes: Uint8Array): ReadAt {
  return (offset, length) => bytes.subarray(offset, offset + length);
}

/** Reads the ELF header of the file at `path`. */
export function readElfFile(path: string): ElfProgram | undefined {
  using file = Deno.openSync(path);
  return readElf((offset, length) => {
    file.seekSync(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const read = file.readSync(bytes.subarray(filled));
      if (read === null) break;
      filled += read;
    }
    return bytes.subarray(0, filled);
  });
}
