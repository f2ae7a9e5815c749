import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { useBuildCloud, writeFiles } from "./build_cloud.ts";
import { writePngs } from "./png.ts";

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
  // A script that is named by a relative path is such a file; any other is one at its own path.
  await writeFiles(work, { script: `#!${work}/static\n` });
  await cloud.must(["chmod", "755", "script"]);
  const script = await cloud.run(["llama", "invoke", "-ship", "llama", "./script"]);
  assertEquals([script.code, script.stdout], [7, `hello from the library: #!${work}/static\n\n`]);
  const absolute = await cloud.run(["llama", "invoke", "-ship", "llama", `${work}/script`]);
  assertEquals([absolute.code, absolute.stdout], [1, ""]);
  assertMatch(
    absolute.stderr,
    /^llama: Cannot ship the script as its interpreter ".*static" is linked statically \(.*\)\n$/,
  );
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
  await writeFiles(cloud.work, {
    script: "#!/no/sh\necho hello\n",
    nothing: "#!/usr/bin/env nosuchprogram\n",
    text: "no program\n",
    plain: "#!/bin/sh\n",
    returns: "#!/bin/sh\r\n",
    secret: "#!/bin/sh\n",
    ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((depth) => [
      `deep${depth}`,
      depth === 0 ? "#!/bin/sh\n" : `#!${cloud.work}/deep${depth - 1}\n`,
    ])),
  });
  // e_machine (System V ABI, "ELF Header") of a processor that this machine has not.
  const foreign = new Uint8Array(64);
  foreign.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  foreign.set([243, 0], 18);
  await Deno.writeFile(`${cloud.work}/foreign`, foreign);
  await cloud.must(["sh", "-c", "chmod 755 script nothing text returns deep* foreign"]);
  await cloud.must(["chmod", "111", "secret"]);
  const cases: [string, number, RegExp][] = [
    ["./missing", 127, /^llama: Cannot ship ".*\/missing" as it is not found here/],
    ["no-such-program", 127, /^llama: Cannot ship "no-such-program" as it is not found here/],
    [
      "./script",
      126,
      /^llama: Cannot run ".*script" as its interpreter "\/no\/sh" is not found \(install it, or .*\)\n$/,
    ],
    [
      "./nothing",
      126,
      /^llama: Cannot run ".*nothing" as its interpreter "nosuchprogram" is not found \(.*\)\n$/,
    ],
    ["./returns", 126, /^llama: Cannot run .* its interpreter "\/bin\/sh\\r" is not found \(/],
    [
      "./deep5",
      126,
      /^llama: Cannot run ".*deep5" as it takes more than 5 scripts to interpret it \(/,
    ],
    [
      "./foreign",
      126,
      /^llama: Cannot ship ".\/foreign" as it is a program for riscv64, and this machine is \w+ \(/,
    ],
    ["./secret", 126, /^llama: Cannot ship ".\/secret" as it may be executed and not read \(leave/],
    ["./text", 126, /^llama: Cannot ship ".\/text" as it has neither an ELF header nor a line #!/],
    ["./plain", 126, /^llama: Cannot ship ".\/plain" as it may not be executed \(chmod .*\)\n$/],
    ["/tmp", 126, /^llama: Cannot ship "\/tmp" as it is a folder \(.*\)\n$/],
    [
      "/usr/bin/passwd",
      126,
      /^llama: Cannot ship ".*passwd" as it runs with another user's rights/,
    ],
  ];
  for (const [program, code, message] of cases) {
    const ended = await cloud.run([...asAnyUser(), "llama", "invoke", "-ship", "llama", program]);
    assertMatch(ended.stderr, message, program);
    assertEquals(ended.stderr.split("\n").length, 2, ended.stderr);
    assertEquals([program, ended.code, ended.stdout], [program, code, ""]);
    // Here, the kernel or the shell says so, too.
    const here = await cloud.run([...asAnyUser(), "sh", "-c", '"$0" 2>/dev/null', program]);
    if (!["/usr/bin/passwd", "./text", "./secret"].includes(program)) {
      assert(here.code !== 0, program);
    }
  }
  const missing = await cloud.run(
    ["llama", "invoke", "-ship", "-ship-file", "/no/such/file", "llama", "true"],
  );
  assertEquals([missing.code, missing.stdout], [1, ""]);
  assertStringIncludes(missing.stderr, "/no/such/file");
});

/** Root reads what nobody may, unless it gives that right up. */
function asAnyUser(): readonly string[] {
  if (Deno.uid() !== 0) return [];
  return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"];
}

/** Deno would make a relative program an absolute one; a shell hands on what it is called by. */
function runHere(command: readonly string[]) {
  return cloud.run(["sh", "-c", '"$@"', "sh", ...command]);
}

/** A program here and by -ship: status and output must be the same, and the file that it made, if any. */
async function assertSame(
  command: readonly string[],
  flags: readonly string[],
  made?: string,
): Promise<void> {
  const here = await runHere(command);
  assertEquals(here.code, 0, here.stderr);
  const hereMade = made && await Deno.readFile(`${cloud.work}/${made}`);
  if (made) await Deno.remove(`${cloud.work}/${made}`);
  const output = made ? ["-o", made] : [];
  const there = await cloud.run(
    ["llama", "invoke", "-ship", ...flags, ...output, "llama", ...command],
  );
  assertEquals([there.code, there.stdout, there.stderr], [0, here.stdout, here.stderr]);
  if (made) assertEquals(await Deno.readFile(`${cloud.work}/${made}`), hereMade);
}

function testWith(program: string, name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: `${name} (skipped where there is no ${program})`,
    ignore: !hasProgram(program),
    fn,
  });
}

testWith("optipng", "invoke -ship runs optipng as it runs here", async () => {
  await writePngs(cloud.work, 1);
  await assertSame(
    ["optipng", "-quiet", "-o5", "p1.png", "-out", "made.png"],
    ["-f", "p1.png"],
    "made.png",
  );
});

testWith("jq", "invoke -ship runs jq as it runs here", async () => {
  await writeFiles(cloud.work, { "a.json": '{"a":[1,2,{"b":"é"}]}' });
  await assertSame(["jq", ".a[2].b, (.a[0:2] | add)", "a.json"], ["-f", "a.json"]);
});

testWith("bash", "invoke -ship runs bash as it runs here", async () => {
  const script = 'shopt -s extglob; a=(x y z); printf "%s-" "${a[@]^^}" "$BASH_VERSION" "$0" "$@"';
  await assertSame(["bash", "-c", script, "name", "one", "two words"], []);
});

testWith(
  "/usr/bin/convert",
  "invoke -ship runs ImageMagick with its modules and settings",
  async () => {
    await writePngs(cloud.work, 1);
    const made = "made.jpg";
    const command = ["/usr/bin/convert", "p1.png", "-resize", "50%", made];
    await assertSame(command, ["-f", "p1.png"], made);
    await assertOneRequest(["-f", "p1.png", "-o", made], command);
  },
);

testWith("ffmpeg", "invoke -ship runs ffmpeg with its hundreds of libraries", async () => {
  const made = "made.avi";
  const source = ["-f", "lavfi", "-i", "testsrc=size=32x32:rate=5:duration=1"];
  const exact = ["-fflags", "+bitexact", "-flags", "+bitexact", "-threads", "1"];
  const command = [
    "ffmpeg",
    "-loglevel",
    "error",
    "-y",
    ...source,
    ...exact,
    "-c:v",
    "mpeg4",
    made,
  ];
  await assertSame(command, [], made);
  await assertOneRequest(["-o", made], command);
});

testWith("file", "invoke -ship runs file with its magic", async () => {
  await writePngs(cloud.work, 1);
  await assertSame(["file", "p1.png"], ["-f", "p1.png"]);
});

testWith("perl", "invoke -ship runs perl with its modules", async () => {
  const script = 'use POSIX; use List::Util "sum"; use utf8; binmode STDOUT, ":utf8"; ' +
    'print floor(sum(1.5, 2.25)), uc "é", "\\n"';
  await assertSame(["perl", "-e", script], []);
  await assertOneRequest([], ["perl", "-e", script]);
});

testWith(
  "/usr/bin/python3",
  "invoke -ship runs a script of Python with its standard library, and what -f names beside it",
  async () => {
    await writeFiles(cloud.work, {
      "a tool/count.py": "#!/usr/bin/env -S MODE=count /usr/bin/python3 -B\n" +
        "import collections, json, os, sys, beside\n" +
        "json.dump(collections.Counter(open(sys.argv[1]).read()), sys.stdout, sort_keys=True)\n" +
        "print(sys.flags.dont_write_bytecode, sys.argv, os.environ['MODE'], beside.NAME)\n",
      "a tool/beside.py": "NAME = 'é'\n",
      text: "hello\n",
    });
    const script = "./a tool/count.py";
    await cloud.must(["chmod", "755", script]);
    const flags = ["-f", "text", "-f", "a tool/beside.py"];
    await assertSame([script, "text"], flags);
    await assertSame(["a tool/count.py", "text"], ["-f", "text", "-f", "a tool"]);
    await assertOneRequest(flags, [script, "text"]);
    const command = ["llama", "invoke", "-ship", "-f", "a tool", "llama", script, "text"];
    const alone = await cloud.run(command);
    assertEquals([alone.code, alone.stdout], [1, ""]);
    assertMatch(
      alone.stderr,
      /No such file .*\nllama: It looked for what is here and did not travel: "text"[^\n]* \(-f sends [^\n]*\)\n$/,
    );
  },
);

testWith("/usr/bin/python3", "invoke -ship runs the Python of a virtual environment", async () => {
  const { code } = await cloud.run(["/usr/bin/python3", "-m", "venv", "--without-pip", "my venv"]);
  // Debian has it in a package of its own.
  if (code !== 0) return;
  const [site = ""] = (await cloud.must(["sh", "-c", "ls -d my*venv/lib/python*/site-packages"]))
    .split("\n");
  await writeFiles(cloud.work, {
    [`${site}/installed.py`]: "import sys\nprint(sys.prefix, sys.argv)\n",
    "s.py": "#!/usr/bin/env python3\nimport installed\n",
  });
  await cloud.must(["chmod", "755", "s.py"]);
  const inVenv = (command: string) =>
    cloud.must(["sh", "-c", `PATH="$PWD/my venv/bin:$PATH" ${command}`]);
  assertEquals(await inVenv("llama invoke -ship llama ./s.py 1"), await inVenv("./s.py 1"));
});

Deno.test("invoke -ship packs a folder of thousands of files once", async () => {
  const script = "mkdir -p many/{0..9}; for i in {0..9}/{0..299}; do echo $i >many/$i; done";
  await cloud.must(["bash", "-c", script]);
  const flags = ["-ship-file", "many"];
  const command = ["cat", `${cloud.work}/many/9/299`];
  const first = await cloud.run(["llama", "invoke", "-ship", ...flags, "llama", ...command]);
  assertEquals([first.code, first.stdout, first.stderr], [0, "9/299\n", ""]);
  await assertOneRequest(flags, command);
  // Of what changed, nothing but that and the list of all goes again.
  await writeFiles(cloud.work, { "many/9/299": "another\n" });
  const requests = await requestsOf(flags, command);
  assert(requests.length <= 3, requests.join("\n"));
  assert(requests.every(({ bytes }) => bytes < 500_000), JSON.stringify(requests));
});

/** The requests of a command, and the bytes that each sends. */
async function requestsOf(flags: readonly string[], command: readonly string[]) {
  const { code, stderr } = await cloud.run(
    ["llama", "invoke", "-debug-aws", "-ship", ...flags, "llama", ...command],
  );
  assertEquals(code, 0, stderr);
  return stderr.split("\n").filter((line) => line.startsWith("> "))
    .map((line) => ({ line, bytes: Number(/, (\d+) bytes$/.exec(line)?.[1] ?? 0) }));
}

/** A program that travelled before is named by a request, and not sent. */
async function assertOneRequest(flags: readonly string[], command: readonly string[]) {
  const requests = await requestsOf(flags, command);
  assertEquals(requests.length, 1, JSON.stringify(requests));
  assert((requests[0]?.bytes ?? 0) < 4000, JSON.stringify(requests));
}

Deno.test("invoke -ship has the kernel's arguments for a script, and finds the script by its path", async () => {
  const print = 'for arg; do echo "[$arg]"; done; echo "$0"; read -r line <"$0"; echo "$line"; ';
  await writeFiles(cloud.work, {
    "s/args": `#!/bin/sh -e\n${print}false; echo never\n`,
    "s/outer": `#!${cloud.work}/s/args\n`,
    "s/env": `#!/usr/bin/env -S sh -e\n${print}`,
    ...Object.fromEntries([1, 2, 3, 4, 5].map((depth) => [
      `s/deep${depth}`,
      depth === 1 ? `#!/bin/sh  -e \t\n${print}` : `#!${cloud.work}/s/deep${depth - 1} x y\n`,
    ])),
  });
  await cloud.must(["sh", "-c", "chmod 755 s/*; ln -s s/args linked"]);
  for (const script of ["./s/args", "s/outer", "./s/../s/args", "s/env", "./s/deep5", "./linked"]) {
    const here = await runHere([script, "a b", ""]);
    const there = await cloud.run(["llama", "invoke", "-ship", "llama", script, "a b", ""]);
    // A path that leaves the current folder is one from the root.
    const own = (text: string) =>
      script.includes("..") ? text.replaceAll(`${cloud.work}/s/`, "./s/../s/") : text;
    assertEquals(
      [script, there.code, own(there.stdout)],
      [script, here.code, here.stdout],
      there.stderr,
    );
  }
  const byPath = (command: string) => cloud.must(["sh", "-c", `PATH="$PWD/s:$PATH"; ${command} x`]);
  assertEquals(await byPath("llama invoke -ship llama deep1"), await byPath("deep1"));
});

function hasProgram(name: string): boolean {
  for (const folder of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    try {
      if (Deno.statSync(name.startsWith("/") ? name : `${folder}/${name}`).isFile) return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}
