/** The processor that a program is made for: System V ABI, "ELF Header", e_machine. */

/** Names as `uname -m` has them. */
const MACHINES: ReadonlyMap<number, string> = new Map([
  [3, "i386"],
  [8, "mips"],
  [20, "ppc"],
  [21, "ppc64"],
  [22, "s390x"],
  [40, "arm"],
  [62, "x86_64"],
  [183, "aarch64"],
  [243, "riscv64"],
]);
const BIG_ENDIAN = 2;
const MACHINE_AT = 18;

/** Whether these are the first bytes of a program or a library. */
export function isElf(head: Uint8Array): boolean {
  return [0x7f, 0x45, 0x4c, 0x46].every((byte, index) => head[index] === byte);
}

/** Its processor, undefined if it is cut off before it says so. */
export function machineOf(head: Uint8Array): string | undefined {
  if (head.length < MACHINE_AT + 2) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const machine = view.getUint16(MACHINE_AT, head[5] !== BIG_ENDIAN);
  return MACHINES.get(machine) ?? `machine ${machine}`;
}
