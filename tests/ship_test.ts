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
  });
  await cloud.must(["chmod", "755", "script", "nothing", "text"]);
  const cases: [string, number, RegExp][] = [
    ["./missing", 127, /^llama: Cannot ship ".*\/missing" as it is not found here/],
    ["no-such-program", 127, /^llama: Cannot ship "no-such-program" as it is not found here/],
    [
      "./script",
      126,
      /^llama: Cannot run ".*script" as its interpreter "\/no\/sh" is not found\n$/,
    ],
    [
      "./nothing",
      126,
      /^llama: Cannot run ".*nothing" as its interpreter "nosuchprogram" is not found\n$/,
    ],
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

/** A program here and by -ship: status and output must be the same, and the file that it made, if any. */
async function assertSame(
  command: readonly string[],
  flags: readonly string[],
  made?: string,
): Promise<void> {
  const here = await cloud.run(command);
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
    // The modules are loaded when a format is met, so that no list of libraries has them.
    const [modules = ""] = (await cloud.must(["sh", "-c", "ls -d /usr/lib/*/ImageMagick-*"])).split(
      "\n",
    );
    const [settings = ""] = (await cloud.must(["sh", "-c", "ls -d /etc/ImageMagick-*"])).split(
      "\n",
    );
    const data = ["-ship-file", modules, "-ship-file", settings];
    await assertSame(
      ["/usr/bin/convert", "p1.png", "-resize", "50%", "made.jpg"],
      ["-f", "p1.png", ...data],
      "made.jpg",
    );
  },
);

testWith(
  "/usr/bin/python3",
  "invoke -ship runs a script of Python with its standard library",
  async () => {
    await writeFiles(cloud.work, {
      "a tool/count.py": "#!/usr/bin/env -S /usr/bin/python3 -B\n" +
        "import collections, json, sys\n" +
        "json.dump(collections.Counter(open(sys.argv[1]).read()), sys.stdout, sort_keys=True)\n" +
        "print(sys.flags.dont_write_bytecode, sys.argv[1:])\n",
      text: "hello\n",
    });
    await cloud.must(["chmod", "755", "a tool/count.py"]);
    const library = (await cloud.must([
      "/usr/bin/python3",
      "-c",
      "import os; print(os.path.dirname(os.__file__))",
    ])).trim();
    const flags = ["-f", "text", "-ship-file", library];
    await assertSame(["./a tool/count.py", "text"], flags);
    // The library is a thousand files and more; now that it is there, one request runs the job.
    const again = await cloud.run(
      ["llama", "invoke", "-debug-aws", "-ship", ...flags, "llama", "./a tool/count.py", "text"],
    );
    const requests = again.stderr.split("\n").filter((line) => line.startsWith("> "));
    assertEquals([again.code, requests.length], [0, 1], requests.join("\n"));
    const body = Number(/, (\d+) bytes$/.exec(requests[0] ?? "")?.[1]);
    assert(body < 2000, `${body} bytes`);
  },
);

Deno.test("invoke -ship has the kernel's arguments for a script, and finds the script by its path", async () => {
  await writeFiles(cloud.work, {
    "s/args":
      '#!/bin/sh -e\nfor arg; do echo "[$arg]"; done; echo "$0"; read -r line <"$0"; echo "$line"; false; echo never\n',
    "s/outer": `#!${cloud.work}/s/args\n`,
  });
  await cloud.must(["chmod", "755", "s/args", "s/outer"]);
  for (const script of ["s/args", "s/outer"]) {
    const here = await cloud.run([`./${script}`, "a b", ""]);
    const there = await cloud.run(["llama", "invoke", "-ship", "llama", `./${script}`, "a b", ""]);
    const own = (text: string) => text.replaceAll(`${cloud.work}/`, "./");
    assertEquals([there.code, own(there.stdout)], [here.code, own(here.stdout)], there.stderr);
    assertEquals(here.code, 1);
  }
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
