/**
 * The sections of an ELF object, as far as two objects are compared by them.
 *
 * System V ABI, chapters "ELF Header", "Sections" and "String Table". Fields that are wider in 64 bits:
 *
 *     header    32-bit: shoff at 32, shentsize 46, shnum 48, shstrndx 50
 *               64-bit: shoff at 40, shentsize 58, shnum 60, shstrndx 62
 *     section   32-bit: name 0, type 4, flags 8, offset 16, size 20, link 24, info 28
 *               64-bit: name 0, type 4, flags 8, offset 24, size 32, link 40, info 44
 */

/** A section of an object. */
export interface ElfSection {
  readonly name: string;
  /** Its content; empty if it takes no room in the file. */
  readonly bytes: Uint8Array;
  /** Its size when loaded, which differs from the content's for .bss. */
  readonly size: number;
  /** Type, flags and the like, for comparing only. */
  readonly attributes: string;
}

/** SHT_NOBITS: a section without content in the file. */
const NOBITS = 8;
/** SHN_XINDEX: the index is in the first section's header. */
const EXTENDED = 0xffff;

/** The sections of `bytes` in their order; undefined if it is no whole ELF file. */
export function elfSections(bytes: Uint8Array): readonly ElfSection[] | undefined {
  try {
    return read(bytes);
  } catch (error) {
    // A DataView that is read past its end.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function read(bytes: Uint8Array): readonly ElfSection[] | undefined {
  const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
  if (!isElf) return undefined;
  const isWide = bytes[4] === 2;
  const little = bytes[5] === 1;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const half = (at: number) => view.getUint16(at, little);
  const word = (at: number) => view.getUint32(at, little);
  const wide = (at: number) => isWide ? Number(view.getBigUint64(at, little)) : word(at);
  const table = wide(isWide ? 40 : 32);
  const entrySize = half(isWide ? 58 : 46);
  if (table === 0) return [];
  const header = (index: number) => {
    const at = table + index * entrySize;
    return {
      name: word(at),
      type: word(at + 4),
      flags: wide(at + 8),
      offset: wide(at + (isWide ? 24 : 16)),
      size: wide(at + (isWide ? 32 : 20)),
      link: word(at + (isWide ? 40 : 24)),
      info: word(at + (isWide ? 44 : 28)),
    };
  };
  const contentOf = ({ type, offset, size }: ReturnType<typeof header>) => {
    if (type === NOBITS) return new Uint8Array();
    if (offset + size > bytes.length) throw new RangeError("A section ends behind the file");
    return bytes.subarray(offset, offset + size);
  };
  const first = header(0);
  const count = half(isWide ? 60 : 48) || first.size;
  const namesIndex = half(isWide ? 62 : 50);
  const names = contentOf(header(namesIndex === EXTENDED ? first.link : namesIndex));
  const sections: ElfSection[] = [];
  // The first one is none.
  for (let index = 1; index < count; index++) {
    const section = header(index);
    const end = names.indexOf(0, section.name);
    const { type, flags, size, link, info } = section;
    sections.push({
      name: new TextDecoder().decode(names.subarray(section.name, end < 0 ? names.length : end)),
      bytes: contentOf(section),
      size,
      attributes: [type, flags, link, info].join(),
    });
  }
  return sections;
}
