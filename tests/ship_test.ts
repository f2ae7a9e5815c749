import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

const LIBRARY = `const char *greeting(void) { return "hello from the library"; }\n`;
const PROGRAM = `#include <stdio.h>
const char *greeting(void);
int main(int argc, char **argv) {
  char line[100] = "no data";
  FILE *data = argc > 1 ? fopen(argv[1], "r") : NULL;
  if (data && !fgets(line, sizeof line, data)) return 3;
  printf("%s: %s\\n", greeting(), line);
  return data || argc == 1 ? 7 : 4;
}
`;
/** Below the folder in which the job runs, a program's libraries and data are not looked for. */
async function compileProgram(): Promise<string> {
  const odd = `${cloud.work}/odd folder`;
  await writeFiles(cloud.work, { "odd folder/": "", "lib.c": LIBRARY, "main.c": PROGRAM });
  await cloud.must(["cc", "-shared", "-fPIC", "-o", `${odd}/libgreeting.so`, "lib.c"]);
  const link = [`-L${odd}`, "-lgreeting", `-Wl,-rpath,${odd}`];
  await cloud.must(["cc", "main.c", "-o", "dynamic", ...link]);
  await cloud.must(["cc", "-static", "main.c", "lib.c", "-o", "static"]);
  return cloud.work;
}

Deno.test("invoke -ship sends a program with its own library, and its data by -ship-file", async () => {
  const work = await compileProgram();
  const alone = await cloud.run(["llama", "invoke", "-ship", "llama", "./dynamic"]);
  assertEquals(
    [alone.code, alone.stdout, alone.stderr],
    [7, "hello from the library: no data\n", ""],
  );
  await writeFiles(work, { "data/words": "words of mine" });
  const path = `${work}/data/words`;
  const withData = await cloud.run(
    ["llama", "invoke", "-ship", "-ship-file", `${work}/data`, "llama", "./dynamic", path],
  );
  assertEquals(
    [withData.code, withData.stdout, withData.stderr],
    [7, "hello from the library: words of mine\n", ""],
  );
  const without = await cloud.run(["llama", "invoke", "-ship", "llama", "./dynamic", path]);
  assertEquals([without.code, without.stdout], [4, "hello from the library: no data\n"]);
});

Deno.test("invoke -ship sends a static program, with files below the job's folder only", async () => {
  const work = await compileProgram();
  await writeFiles(work, { words: "mine" });
  const { code, stdout, stderr } = await cloud.run(
    ["llama", "invoke", "-ship", "-f", "words", "llama", "./static", "words"],
  );
  assertEquals([code, stdout, stderr], [7, "hello from the library: mine\n", ""]);
  const refused = await cloud.run(
    ["llama", "invoke", "-ship", "-ship-file", "words", "llama", "./static"],
  );
  assertEquals([refused.code, refused.stdout], [1, ""]);
  assertMatch(
    refused.stderr,
    /^llama: Cannot ship files to ".*static" as it is linked statically \(send them with -f, .*\)\n$/,
  );
});

Deno.test("invoke -ship says what it cannot ship", async () => {
  await writeFiles(cloud.work, { script: "#!/bin/sh\necho hello\n", text: "no program\n" });
  await cloud.must(["chmod", "755", "script"]);
  const cases: [string, number, RegExp][] = [
    ["./missing", 127, /^llama: Cannot ship ".*\/missing" as it is not found here/],
    ["no-such-program", 127, /^llama: Cannot ship "no-such-program" as it is not found here/],
    ["./script", 126, /^llama: Cannot ship ".*script" as it is a script.*\n$/],
    ["./text", 126, /^llama: .*text.*\n$/],
    ["/tmp", 127, /^llama: Cannot ship "\/tmp" as it is not found here/],
  ];
  for (const [program, code, message] of cases) {
    const ended = await cloud.run(["llama", "invoke", "-ship", "llama", program]);
    assertMatch(ended.stderr, message, program);
    assertEquals([program, ended.code, ended.stdout], [program, code, ""]);
  }
  const missing = await cloud.run(
    ["llama", "invoke", "-ship", "-ship-file", "/no/such/file", "llama", "true"],
  );
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertStringIncludes(missing.stderr, "/no/such/file");
});

const optipng = (await hasProgram("optipng")) ? "/usr/bin/optipng" : undefined;

Deno.test({
  name: "invoke -ship runs optipng as it runs here (skipped where there is none)",
  ignore: optipng === undefined,
  fn: async () => {
    await Deno.writeFile(`${cloud.work}/a.png`, await picture());
    await cloud.must(["optipng", "-quiet", "-o5", "a.png", "-out", "here.png"]);
    await cloud.must(
      ["llama", "invoke", "-ship", "-f", "a.png", "-o", "there.png", "llama", "optipng", "-quiet"]
        .concat("-o5", "a.png", "-out", "there.png"),
    );
    const here = await Deno.readFile(`${cloud.work}/here.png`);
    const there = await Deno.readFile(`${cloud.work}/there.png`);
    assertEquals(there.toBase64(), here.toBase64());
  },
});

async function hasProgram(name: string): Promise<boolean> {
  for (const folder of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    try {
      if ((await Deno.stat(`${folder}/${name}`)).isFile) return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}

/** A grey picture of 64 by 64 pixels (PNG specification, sections 5 and 11). */
async function picture(): Promise<Uint8Array> {
  const size = 64;
  const rows = new Uint8Array(size * (size + 1));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) rows[y * (size + 1) + x + 1] = (x * y) & 255;
  }
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, size);
  view.setUint32(4, size);
  header[8] = 8;
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk("IHDR", header),
    chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk("IEND", new Uint8Array()),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** PNG specification, annex D. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
