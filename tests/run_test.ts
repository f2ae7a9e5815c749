/** `llama run`: local commands with nothing declared leave what they leave here. */
import { assertEquals, assertMatch } from "@std/assert";
import { assertNoLeftovers, type Files, treeOf, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

const HELPER = `def total(rows):
    return sum(int(row["n"]) for row in rows)
`;
const SCRIPT = `#!/usr/bin/env python3
import csv, json, sys
import helper
rows = list(csv.DictReader(open(sys.argv[1])))
json.dump({"total": helper.total(rows)}, open(sys.argv[2], "w"))
print(len(rows), "rows")
print("to stderr", file=sys.stderr)
sys.exit(3)
`;

async function hasPython(): Promise<boolean> {
  try {
    return (await Deno.stat("/usr/bin/python3")).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs a command here and, in an equal folder, by `llama run`; status, output and folder must be the same. */
async function same(command: readonly string[], files: Files): Promise<number> {
  const results = [];
  for (const runs of [["llama", "run", "-time"], []]) {
    // The same path for both, as programs may print it.
    const work = `${cloud.work}/same`;
    await writeFiles(work, files);
    const { code, stdout, stderr } = await cloud.run([...runs, ...command], {
      cwd: work,
      env: { PYTHONDONTWRITEBYTECODE: "1", PATH: `${cloud.env.PATH}` },
    });
    const own = stderr.replaceAll(/^(?:rounds|total| {2}(?:fetch|layout|run|collect)) .*\n/gm, "");
    const rounds = Number(/^rounds\s+(\d+)$/m.exec(stderr)?.[1]);
    results.push({ code, stdout, stderr: own, tree: await treeOf(work), rounds });
    await assertNoLeftovers(work);
    await Deno.remove(work, { recursive: true });
  }
  const [there, here] = results;
  assertEquals({ ...there, rounds: 0 }, { ...here, rounds: 0 });
  return there?.rounds ?? NaN;
}

Deno.test("run sends a program, what its arguments name and what it looks for", async () => {
  await cloud.must(["llama", "version"]);
  const files = { "a.txt": "one\n", "b.txt": "two\n", "list": "a.txt\nb.txt\n" };
  // Only xargs knows of the two files, and cat is a program that it finds.
  const command = ["xargs", "-a", "list", "cat"];
  assertEquals(await same(command, files) > 1, true);
  assertEquals(await same(command, files), 1);
});

Deno.test("run makes, changes and removes what the command makes, changes and removes", async () => {
  const script = `set -e
cp -p old/time copied
mkdir -p made/empty; chmod 750 made
ln -s ../old made/link
echo more >>changed
rm gone
mv moved made/moved
printf '\\000\\377' >'made/odd name'
chmod +x changed
`;
  const files = {
    ...{ "old/time": "t", "changed": "some\n", "gone": "", "moved": "m", "untouched": "u" },
    "script": script,
  };
  await same(["sh", "script", "changed", "gone", "moved", "old", "untouched"], files);
});

(await hasPython() ? Deno.test : Deno.test.ignore)(
  "run takes a script with its interpreter and the modules beside it",
  async () => {
    const files = {
      ...{ "helper.py": HELPER, "script.py": SCRIPT, "data.csv": "k,n\na,1\nb,2\n" },
    };
    const command = ["/usr/bin/python3", "script.py", "data.csv", "out.json"];
    await same(command, files);
    assertEquals(await same(command, files), 1);
  },
);

Deno.test("run compiles and links", async () => {
  const files = {
    "a.c":
      '#include <math.h>\n#include "a.h"\nint main(int c, char **v) { return A + (int)sqrt(c); }\n',
    "a.h": "#define A 40\n",
  };
  const command = ["gcc", "-O1", "-g", "a.c", "-o", "a", "-lm"];
  assertEquals(await same(command, files) <= 8, true);
  assertEquals(await same(command, files), 1);
});

Deno.test("run packs an archive in which owners and times are those of this machine", async () => {
  const work = `${cloud.work}/tar`;
  await writeFiles(work, { "folder/a": "1", "folder/sub/b": "2", "c": "3" });
  await Deno.symlink("a", `${work}/folder/link`);
  await Deno.chmod(`${work}/folder/sub`, 0o700);
  const options = { cwd: work };
  await cloud.must(["touch", "-d", "2020-01-02 03:04:05", "folder/sub", "folder", "c"], options);
  const list = async (name: string) =>
    (await cloud.must(["tar", "tvf", name], options)).split("\n").toSorted();
  await cloud.must(["llama", "run", "tar", "czf", "there.tgz", "folder", "c"], options);
  await cloud.must(["tar", "czf", "here.tgz", "folder", "c"], options);
  assertEquals(await list("there.tgz"), await list("here.tgz"));
  const named = "stat -c '%U %G %u %g %n %Y' folder folder/a c";
  assertEquals(
    await cloud.must(["llama", "run", "sh", "-c", named, "folder", "c"], options),
    await cloud.must(["sh", "-c", named], options),
  );
});

Deno.test("run lists folders in the order of this machine, so that an archive is the same byte for byte", async () => {
  const work = `${cloud.work}/order`;
  // Names of which hardly any file system has the order of their making.
  const names = Array.from({ length: 60 }, (_, index) => `folder/${(index * 7919) % 61}-file`);
  await writeFiles(
    work,
    Object.fromEntries([...names, "folder/sub/one", "folder/sub/two"].map((name) => [name, name])),
  );
  const options = { cwd: work };
  for (const pack of ["tar cf", "tar czf"]) {
    await cloud.must(["llama", "run", ...pack.split(" "), "there", "folder"], options);
    await cloud.must([...pack.split(" "), "here", "folder"], options);
    await cloud.must(["cmp", "there", "here"], options);
  }
  const walk = "import os\nfor found in os.walk('folder'): print(found)\n";
  await writeFiles(work, { "walk.py": walk });
  const walks = [
    ["find", "folder"],
    ...await hasPython() ? [["python3", "walk.py", "folder"]] : [],
  ];
  for (const command of walks) {
    const there = await cloud.must(["llama", "run", ...command], options);
    assertEquals(there, await cloud.must(command, options));
  }
});

Deno.test("run writes to what arguments name outside of the folder, and nowhere else", async () => {
  await writeFiles(cloud.work, { "in/a": "text", "out/": "" });
  const options = { cwd: `${cloud.work}/in` };
  const target = `${cloud.work}/out/copy`;
  await cloud.must(["llama", "run", "cp", "a", target], options);
  assertEquals(await Deno.readTextFile(target), "text");
  await cloud.must(["llama", "run", "sh", "-c", "echo x >../out/other"], options);
  assertEquals((await treeOf(`${cloud.work}/out`)).other, undefined);
  await cloud.must(
    ["llama", "run", "-o", `${cloud.work}/out`, "sh", "-c", "echo x >../out/other"],
    options,
  );
  assertEquals(await Deno.readTextFile(`${cloud.work}/out/other`), "x\n");
});

Deno.test("run -n prints what would travel and what stays, and runs nothing", async () => {
  await writeFiles(cloud.work, { "n/a.txt": "one\n" });
  const options = { cwd: `${cloud.work}/n`, env: { MY_TOKEN: "secret" } };
  const text = await cloud.must(["llama", "run", "-n", "cp", "a.txt", "b.txt"], options);
  assertMatch(text, /^program {3}\/\S+\/cp$/m);
  assertMatch(text, /^ {2}\S+\/n\/a\.txt {2}4 bytes$/m);
  assertMatch(text, /^withheld {2}.*\bMY_TOKEN\b/m);
  const json = JSON.parse(
    await cloud.must(["llama", "run", "-n", "-json", "cp", "a.txt", "b"], options),
  );
  assertEquals(json.outputs, [await Deno.realPath(`${cloud.work}/n`)]);
  assertEquals(Object.keys(await treeOf(`${cloud.work}/n`)), ["a.txt"]);
});

Deno.test("run says what it cannot do, in one line", async () => {
  await writeFiles(cloud.work, {
    ...{ "bad/main.c": "int main(void) { return 0; }\n", "bad/no": "#!/no/such/interpreter\n" },
  });
  const cwd = `${cloud.work}/bad`;
  await cloud.must(["cc", "-static", "main.c", "-o", "static"], { cwd });
  await Deno.chmod(`${cwd}/no`, 0o755);
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [[], 2, /^llama: The command is missing \(see llama help run\)\n$/],
    [["no-such-program"], 127, /^llama: Cannot run "no-such-program" as it is not found here\n$/],
    [
      ["./no"],
      126,
      /^llama: Cannot run ".*\/no" as its interpreter "\/no\/such\/interpreter" is not found \(.*\)\n$/,
    ],
    [["./static"], 1, /^llama: Cannot trust what ".*\/static" did elsewhere: .*\n$/],
    [["-max-rounds", "0", "true"], 2, /^llama: The flag -max-rounds takes .*\n$/],
    [
      ["-max-rounds", "1", "xargs", "-a", "main.c", "wc", "-c"],
      1,
      /^llama: Cannot find all that "xargs" needs in 1 rounds .*\n$/,
    ],
    [["-timeout", "1s", "sleep", "20"], 1, /^llama: .*1 s.*\n$/],
  ];
  for (const [args, status, message] of cases) {
    const { code, stdout, stderr } = await cloud.run(["llama", "run", ...args], { cwd });
    assertEquals([code, stdout], [status, ""], args.join(" "));
    assertMatch(stderr, message, args.join(" "));
  }
});
