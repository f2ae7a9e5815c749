import { assert, assertEquals } from "@std/assert";
import { differencesOf, type Outcome } from "./differences.ts";
import { elfSections } from "./elf_sections.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

function outcome(
  change: Partial<Omit<Outcome, "files">> & { files?: Record<string, Uint8Array> },
): Outcome {
  const { files = {}, ...rest } = change;
  return {
    end: "exit status 0",
    stdout: new Uint8Array(),
    stderr: new Uint8Array(),
    ...rest,
    files: new Map(Object.entries(files).map(([path, bytes]) => [path, { bytes, mode: 0o644 }])),
  };
}

const texts = (a: Outcome, b: Outcome) => differencesOf(a, b).map(({ text }) => text);

async function compiled(source: string, ...flags: string[]): Promise<Uint8Array> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.c`, source);
    const { code } = await new Deno.Command("cc", { args: ["-c", ...flags, "a.c"], cwd: folder })
      .output();
    assertEquals(code, 0);
    return await Deno.readFile(`${folder}/a.o`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("equal outcomes do not differ, whatever the assembler's file was called", () => {
  const a = outcome({
    files: { "a.o": bytesOf("x") },
    stderr: bytesOf("/tmp/ccAb01cd.s:1: Error"),
  });
  const b = outcome({
    files: { "a.o": bytesOf("x") },
    stderr: bytesOf("/tmp/ccXXyyzz.s:1: Error"),
  });
  assertEquals(texts(a, b), []);
});

Deno.test("an object differs in the first section that the change is in", async () => {
  const source = 'int f(void) { return 1; } int big[9]; const char *s = "abc";\n';
  const a = await compiled(source);
  const of = async (changed: string, ...flags: string[]) =>
    texts(outcome({ files: { a } }), outcome({ files: { a: await compiled(changed, ...flags) } }));
  assertEquals(await of(source), []);
  const [text = "", ...others] = await of(source.replace("return 1", "return 7"));
  assert(/^"a" differs in section \.text at byte \d+$/.test(text), text);
  assertEquals(others, []);
  assertEquals(await of(source.replace("abc", "abd")), [
    '"a" differs in section .rodata at byte 2',
  ]);
  const [bss] = await of(source.replace("big[9]", "big[10]"));
  assertEquals(bss, '"a" differs in section .bss (36 bytes elsewhere, 40 here)');
  assert(
    (await of(source, "-g")).includes('"a" differs in section .debug_info, which is here alone'),
  );
});

Deno.test("random names of link-time optimisation are the same place", async () => {
  const source = "int f(void) { return 1; }\n";
  const [a, b] = [await compiled(source, "-flto"), await compiled(source, "-flto")];
  const places = differencesOf(outcome({ files: { a } }), outcome({ files: { a: b } }))
    .map(({ place }) => place);
  assert(!places.some((place) => /\.gnu\.lto_.*\.[0-9a-f]{8,}$/.test(place)), places.join());
});

Deno.test("what is no object differs in a line or in a byte", () => {
  const of = (a: string, b: string) =>
    texts(outcome({ files: { x: bytesOf(a) } }), outcome({ files: { x: bytesOf(b) } }));
  assertEquals(of("a\nb\n", "a\nc\n"), ['"x" differs in line 2: "b" elsewhere, "c" here']);
  assertEquals(of("a", "a\nb"), ['"x" differs in line 2: no such line elsewhere, "b" here']);
  assertEquals(of("a\0b", "a\0bc"), ['"x" differs in byte 3 (3 bytes elsewhere, 4 here)']);
  // A damaged object is no object.
  assertEquals(of("\x7fELF\x02\x01\0\x01", "\x7fELF\x02\x01\0\x02"), ['"x" differs in byte 7']);
});

Deno.test("words, status, modes and files that one side lacks are told", () => {
  const a = outcome({ stderr: bytesOf("a.c:1: warning\n"), files: { x: bytesOf("") } });
  const b = outcome({ end: "SIGSEGV", stdout: bytesOf("hello") });
  assertEquals(texts(a, b), [
    '"x" is made elsewhere alone',
    "it ended with exit status 0 elsewhere, SIGSEGV here",
    'stdout differs in line 1: "" elsewhere, "hello" here',
    'stderr differs in line 1: "a.c:1: warning" elsewhere, "" here',
  ]);
  const mode = (bits: number): Outcome => ({
    ...outcome({}),
    files: new Map([["x", { bytes: bytesOf("x"), mode: bits }]]),
  });
  assertEquals(texts(mode(0o644), mode(0o600)), ['"x" has mode 644 elsewhere, 600 here']);
});

Deno.test("elfSections() reads other word sizes and byte orders", () => {
  // A 32-bit file of the other byte order, with one section besides the names.
  const bytes = new Uint8Array(52 + 3 * 40 + 16);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 2, 1]);
  view.setUint32(32, 52);
  view.setUint16(46, 40);
  view.setUint16(48, 3);
  view.setUint16(50, 2);
  const names = 52 + 3 * 40;
  bytes.set(bytesOf("\0.text\0.names\0"), names);
  const section = (index: number, name: number, type: number, offset: number, size: number) => {
    const at = 52 + index * 40;
    [name, type].forEach((value, nth) => view.setUint32(at + 4 * nth, value));
    view.setUint32(at + 16, offset);
    view.setUint32(at + 20, size);
  };
  section(1, 1, 1, 0, 4);
  section(2, 7, 3, names, 14);
  const sections = elfSections(bytes) ?? [];
  assertEquals(sections.map(({ name, size }) => [name, size]), [[".text", 4], [".names", 14]]);
  assertEquals([...sections[0]?.bytes ?? []], [0x7f, 0x45, 0x4c, 0x46]);
  assertEquals(elfSections(bytes.subarray(0, 100)), undefined);
  assertEquals(elfSections(bytesOf("no object")), undefined);
});
