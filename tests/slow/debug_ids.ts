/**
 * What differs between two runs of one and the same compiler: GCC's DWO id, which ties an object to its
 * .dwo file, depends on addresses (it is stable without address randomisation), and so does the build id
 * that a linker makes of it. Here both are read and blanked in objects, programs and archives, so that
 * all else can be compared to the byte.
 *
 * Sources: ELF-64 Object File Format 1.5; DWARF 5, 7.5.1 (unit headers, DW_UT_skeleton 4 and
 * DW_UT_split_compile 5 have the id behind version, type, address size and abbreviations); ar(5).
 */

/** A file without its ids, and the ids. */
export interface Blanked {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** DWO ids in hex, in the order of their units. */
  readonly dwoIds: readonly string[];
}

const AR_MAGIC = "!<arch>\n";
const AR_HEADER = 60;
/** DWARF 5, 7.5.1: offset of the id in the header of a unit with 32-bit offsets, and its size. */
const DWO_ID = { at: 12, size: 8 };
const SHT_NOTE = 7;
const SHF_COMPRESSED = 0x800;

/** Blanks the ids of an ELF file, or of each member of an archive; other files stay as they are. */
export function withoutIds(file: Uint8Array): Blanked {
  const bytes = file.slice();
  const dwoIds: string[] = [];
  if (startsWith(bytes, AR_MAGIC)) {
    let at = AR_MAGIC.length;
    while (at + AR_HEADER <= bytes.length) {
      const size = Number(new TextDecoder().decode(bytes.subarray(at + 48, at + 58)));
      if (!Number.isInteger(size)) throw new Error(`Cannot read the archive as a size is none`);
      const member = at + AR_HEADER;
      dwoIds.push(...blank(bytes.subarray(member, member + size)));
      at = member + size + size % 2;
    }
  } else dwoIds.push(...blank(bytes));
  return { bytes, dwoIds };
}

/** Whether a file is an ELF file of type ET_REL: an object. */
export function isObject(file: Uint8Array): boolean {
  return isElf(file) && file[16] === 1;
}

/** Whether a file is an ELF file: an object, a library or a program. */
export function isElf(file: Uint8Array): boolean {
  return startsWith(file, "\x7fELF");
}

interface Section {
  readonly name: string;
  readonly type: number;
  readonly compressed: boolean;
  readonly content: Uint8Array;
}

/** Blanks the ids of one ELF file in place and returns them. */
function blank(bytes: Uint8Array): string[] {
  if (!isElf(bytes)) return [];
  const ids: string[] = [];
  for (const { name, type, compressed, content } of sectionsOf(bytes)) {
    if (compressed) throw new Error(`Cannot read "${name}" as it is compressed`);
    if (type === SHT_NOTE && name === ".note.gnu.build-id") content.fill(0, 16);
    if (name === ".debug_info" || name === ".debug_info.dwo") ids.push(...blankUnits(content));
  }
  return ids;
}

function blankUnits(section: Uint8Array): string[] {
  const view = viewOf(section);
  const ids: string[] = [];
  for (let at = 0; at + DWO_ID.at + DWO_ID.size <= section.length;) {
    const length = view.getUint32(at, true);
    const version = view.getUint16(at + 4, true);
    const unitType = section[at + 6];
    if (version >= 5 && (unitType === 4 || unitType === 5)) {
      const id = section.subarray(at + DWO_ID.at, at + DWO_ID.at + DWO_ID.size);
      ids.push(id.toHex());
      id.fill(0);
    }
    at += 4 + length;
  }
  return ids;
}

function* sectionsOf(bytes: Uint8Array): Generator<Section> {
  const view = viewOf(bytes);
  if (bytes[4] !== 2 || bytes[5] !== 1) return;
  const table = Number(view.getBigUint64(0x28, true));
  const header = (index: number) => table + index * view.getUint16(0x3a, true);
  if (table === 0) return;
  const offset = (at: number) => Number(view.getBigUint64(at + 24, true));
  const size = (at: number) => Number(view.getBigUint64(at + 32, true));
  // With too many sections for the file header, section 0 has their number and the names' index.
  const count = view.getUint16(0x3c, true) || size(header(0));
  const named = view.getUint16(0x3e, true);
  const names = header(named === 0xffff ? view.getUint32(header(0) + 40, true) : named);
  for (let index = 1; index < count; index++) {
    const at = header(index);
    const start = offset(names) + view.getUint32(at, true);
    const name = new TextDecoder().decode(bytes.subarray(start, bytes.indexOf(0, start)));
    if (!/^\.(?:debug_info(?:\.dwo)?|note\.gnu\.build-id)$/.test(name)) continue;
    yield {
      name,
      type: view.getUint32(at + 4, true),
      compressed: (view.getUint32(at + 8, true) & SHF_COMPRESSED) !== 0,
      content: bytes.subarray(offset(at), offset(at) + size(at)),
    };
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return [...text].every((character, index) => bytes[index] === character.charCodeAt(0));
}
