/** The libraries that an ELF file names: System V ABI, "Dynamic Section", entries with the tag DT_NEEDED. */
import { elfSections } from "./elf_sections.ts";

const DT_NEEDED = 1n;
const ENTRY_BYTES = 16;

/** Names of the libraries that a 64-bit file wants loaded with it; undefined for any other file. */
export function neededNames(bytes: Uint8Array): readonly string[] | undefined {
  if (bytes[4] !== 2 || bytes[5] !== 1) return undefined;
  const sections = elfSections(bytes);
  const find = (name: string) => sections?.find((section) => section.name === name)?.bytes;
  const dynamic = find(".dynamic");
  const strings = find(".dynstr");
  if (!dynamic || !strings) return undefined;
  const view = new DataView(dynamic.buffer, dynamic.byteOffset, dynamic.byteLength);
  const names: string[] = [];
  for (let at = 0; at + ENTRY_BYTES <= dynamic.length; at += ENTRY_BYTES) {
    if (view.getBigInt64(at, true) !== DT_NEEDED) continue;
    const start = Number(view.getBigUint64(at + 8, true));
    const end = strings.indexOf(0, start);
    if (end < 0) return undefined;
    names.push(new TextDecoder().decode(strings.subarray(start, end)));
  }
  return names;
}
