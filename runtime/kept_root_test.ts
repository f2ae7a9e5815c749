import { assert, assertEquals } from "@std/assert";
import { encodeManifest, type Input } from "../job/manifest.ts";
import type { JobSpec } from "../job/spec.ts";
import { openCache } from "./cache.ts";
import { openKeptRoot } from "./kept_root.ts";
import { openLibc } from "./libc.ts";
import {
  bytesOf,
  inline,
  shortFolder,
  type TestWorker,
  testWorker,
  textOf,
} from "./worker_fixture.ts";

const SHELL = { bytes: Deno.readFileSync("/bin/sh") };

async function stored(test: TestWorker, path: string, text: string): Promise<Input> {
  const bytes = bytesOf(text);
  const content = { digest: await test.objects.put(bytes), size: bytes.length };
  return { kind: "file", path, mode: 0o644, mtimeMs: 1e12, content };
}

async function inputsOf(test: TestWorker): Promise<Input[]> {
  return [
    await stored(test, "/usr/include/a.h", "a"),
    await stored(test, "/usr/include/b.h", "b"),
    await stored(test, "/usr/include/sys/c.h", "c"),
    await stored(test, "/usr/shut/d.h", "d"),
    { kind: "folder", path: "/usr/shut", mode: 0o555 },
    { kind: "folder", path: "/usr/empty", mode: 0o755 },
    { kind: "link", path: "/lib/link", target: "../usr/include" },
    { kind: "link", path: "/lib/other", target: "/usr" },
    { kind: "file", path: "/real/sh", mode: 0o755, content: SHELL },
    { kind: "file", path: "/home/u/src/x.c", mode: 0o644, mtimeMs: 1e12, content: inline("x") },
  ];
}

/** A rooted job without a path shim: its script sees this machine, and the root three folders above. */
function job(inputs: readonly Input[], script: string): Partial<JobSpec> {
  return {
    args: ["sh", "-c", `root=../../..; ${script}`],
    program: "/real/sh",
    cwd: "/home/u/src",
    rooted: { libraryPath: [] },
    env: { PATH: "/usr/bin:/bin" },
    inputs,
  };
}

const SHOW =
  "cd $root; find . -printf '%P %y %m %l\\n' | sort; cat $(find . -name '*.[ch]' | sort)";

async function shown(test: TestWorker, inputs: readonly Input[]): Promise<string> {
  const { stdout, stderr } = await test.done(job(inputs, SHOW));
  return textOf(stdout) + textOf(stderr);
}

const DIRTY = [
  "echo x >stray",
  "echo x >$root/usr/include/stray.h; mkdir $root/usr/include/sub; ln -s / $root/tmp/evil",
  "mkdir -p p/q; echo x >p/q/r; chmod 000 p/q p",
  "rm $root/usr/include/a.h x.c",
  "mv $root/usr/include/a.h $root/usr/include/b.h",
  "cd $root/usr/include; mv a.h t; mv b.h a.h; mv t b.h",
  "printf wrong >$root/usr/include/a.h",
  "cd $root/usr/include; printf w >t; touch -r a.h t; mv t a.h",
  "rm $root/usr/include/a.h; mkdir -p $root/usr/include/a.h/deep",
  "rm -r $root/usr/include",
  "cd $root/usr; mv include moved; ln -s moved include",
  "cd $root/usr; mv include empty/; mkdir include; echo x >include/a.h",
  "cd $root/usr; mv empty t; mv include empty; mv t include",
  "ln -sfn /nowhere $root/lib/link",
  "rm $root/lib/link; cp x.c $root/lib/link",
  "rm $root/lib/link; mkdir $root/lib/link",
  "chmod 700 $root/usr/include; chmod 777 $root/usr/shut; chmod 755 $root/tmp; chmod 000 $root/usr",
  "chmod 777 $root/usr/shut; echo x >$root/usr/shut/y; rm $root/usr/shut/d.h",
  "cd $root; rm -rf usr lib home tmp",
  "cd $root; own=${PWD##*/}; cd ..; mv $own gone; mkdir $own",
];

// A folder's change time tells of a change only when it is older than the job.
for (const age of ["young", "old"] as const) {
  Deno.test(`a rooted job finds nothing of what another did to a root that was ${age}`, async () => {
    using fresh = testWorker();
    const expected = await shown(fresh, await inputsOf(fresh));
    for (const script of DIRTY) {
      using test = testWorker();
      const inputs = await inputsOf(test);
      if (age === "old") {
        await test.done(job(inputs, "sleep 0.03"));
        await test.done(job(inputs, ":"));
      }
      await test.done(job(inputs, script));
      assertEquals([script, await shown(test, inputs)], [script, expected]);
      assertEquals([script, await shown(test, inputs)], [script, expected]);
      assertEquals(test.log, []);
    }
  });
}

Deno.test("what a job put in place of a folder of its root leads nobody out of it", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  const expected = await shown(test, inputs);
  const outside = `${test.folder}/outside`;
  Deno.mkdirSync(`${outside}/sys`, { recursive: true });
  for (const name of ["a.h", "sys/c.h", "other"]) Deno.writeTextFileSync(`${outside}/${name}`, "o");
  await test.done(job(inputs, `cd $root/usr; mv include moved; ln -s ${outside} include`));
  assertEquals(await shown(test, inputs), expected);
  await test.done(
    job(
      inputs,
      `cd $root; own=\${PWD##*/}; cd ..; mv $own gone; ln -s ${outside} $own; mkdir ${outside}/usr`,
    ),
  );
  assertEquals(await shown(test, inputs), expected);
  assertEquals(Deno.readTextFileSync(`${outside}/a.h`), "o");
  assertEquals(Deno.readTextFileSync(`${outside}/sys/c.h`), "o");
});

const STATES =
  "stat -c '%n %i %z' $root/usr/include/*.h $root/usr/include/sys/c.h $root/usr/shut/d.h";

Deno.test("a change in the tick of the clock in which a job began is found", () => {
  const libc = openLibc();
  assert(libc);
  const folder = shortFolder();
  try {
    const toTick = (ns: number) => Math.floor(ns / 1e7) * 1e7;
    /** A file system with the coarsest clock that there is, and folders of one size. */
    const fingerprint = (path: string) => {
      const state = libc.fingerprint(path);
      if (state === undefined) return undefined;
      const { ctimeNs, mtimeNs } = state;
      return { ...state, size: 0, ctimeNs: toTick(ctimeNs), mtimeNs: toTick(mtimeNs) };
    };
    const coarse = { ...libc, fingerprint };
    const root = openKeptRoot(
      `${folder}/r`,
      openCache(`${folder}/c`, 1000, coarse),
      coarse,
      Date.now,
    );
    // One of two changes in a row is nearly always in the tick of its folder's state.
    for (let round = 0; round < 20; round++) {
      root.prepare(new Map(), new Set(["/", "/in"]), () => false);
      for (const path of ["/", "/in"]) root.makeFolder(path);
      root.begin();
      Deno.writeTextFileSync(`${folder}/r/in/stray`, "");
      root.end();
      assertEquals([...Deno.readDirSync(`${folder}/r/in`)], []);
    }
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("what came inside a job is removed, however long it took to lay all out", () => {
  const libc = openLibc();
  assert(libc);
  const folder = shortFolder();
  try {
    const later = () => Date.now() + 60_000;
    const root = openKeptRoot(`${folder}/r`, openCache(`${folder}/c`, 1000, libc), libc, later);
    root.prepare(new Map(), new Set(["/"]), () => false);
    root.makeFolder("/");
    Deno.writeTextFileSync(root.makeRoom("/inline"), "");
    root.begin();
    root.end();
    assertEquals([...Deno.readDirSync(`${folder}/r`)], []);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("a root keeps its links into the cache from job to job", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  const states: string[] = [];
  for (const script of [STATES, `echo x >made; ${STATES}`, STATES]) {
    states.push(textOf((await test.done(job(inputs, script))).stdout));
  }
  assertEquals(new Set(states).size, 1);
  await test.done(job(inputs.filter(({ path }) => path !== "/usr/include/a.h"), ":"));
  const count = await test.done(job(inputs, "stat -c %h $root/usr/include/a.h"));
  assertEquals(textOf(count.stdout), "2\n");
  assertEquals(test.objects.asked.length, 4);
});

Deno.test("a root has just the inputs of each job", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  const without = inputs.filter(({ path }) => !path.includes("/include/") && path !== "/lib/link");
  const others: Input[][] = [
    [...without, await stored(test, "/usr/include/a.h", "changed")],
    [...without, await stored(test, "/usr/include/a.h", "b")],
    [...without, await stored(test, "/usr/include", "no folder")],
    [...without, { kind: "link", path: "/usr/include", target: "shut" }],
    [...without, { kind: "link", path: "/lib/link", target: "../home" }],
    [...inputs, { kind: "folder", path: "/usr/include", mode: 0o700 }],
    inputs.map((input) => input.kind === "file" ? { ...input, mode: 0o755 } : input),
    inputs.map((input) => input.kind === "file" ? { ...input, mtimeMs: 2e12 } : input),
    without,
    [...without, { kind: "file", path: "/usr/include/a.h", mode: 0o600, content: inline("in") }],
  ];
  for (const other of others) {
    using fresh = testWorker();
    for (const [digest, bytes] of test.objects.kept) fresh.objects.kept.set(digest, bytes);
    const expected = await shown(fresh, other);
    assertEquals(await shown(test, other), expected);
    // From there back and forth, so that each meets what another one left.
    await test.done(job(inputs, ":"));
    assertEquals(await shown(test, other), expected);
  }
});

Deno.test("a kept input that may come back is a copy for that job alone", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  await test.done(job(inputs, ":"));
  const wanted = [{ match: "exact", path: "/usr/include/a.h" } as const];
  const spec = { ...job(inputs, "printf new >$root/usr/include/a.h"), wanted };
  assertEquals((await test.done(spec)).outputs.map(({ path }) => path), ["/usr/include/a.h"]);
  const cat = job(inputs, "cat $root/usr/include/a.h");
  assertEquals(textOf((await test.done(cat)).stdout), "a");
  assertEquals(test.objects.asked.length, 4);
});

Deno.test("a job that is not rooted cannot change the root of the next one that is", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  const expected = await shown(test, inputs);
  test.worker.tidy();
  const script = `for f in ${test.folder}/w/r*/usr; do echo x >$f/stray; done; ls -d $f/stray`;
  assertEquals(textOf((await test.done({ args: ["sh", "-c", script] })).stderr), "");
  assertEquals(await shown(test, inputs), expected);
});

Deno.test("jobs of other manifests have other roots, and neither loses its links to the other", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  const kinds: Partial<JobSpec>[] = [];
  for (let kind = 0; kind < 6; kind++) {
    const own = await stored(test, "/own", `own ${kind}`);
    const manifest = encodeManifest({ packs: [], inputs: [own] });
    const manifests = [await test.objects.put(manifest)];
    kinds.push({ ...job(inputs, `cat $root/own; ${STATES.replace("%z", "")}`), manifests });
  }
  const seen: string[] = [];
  for (const kind of [0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 0, 5]) {
    const { stdout, stderr } = await test.done(kinds[kind] ?? {});
    assertEquals([kind, textOf(stderr)], [kind, ""]);
    assertEquals([kind, textOf(stdout).slice(0, 5)], [kind, `own ${kind}`]);
    seen.push(textOf(stdout).slice(5));
  }
  // All roots have links to the same files.
  assertEquals(new Set(seen).size, 1);
  assertEquals(test.objects.asked.length, 4 + 6 + 6);
  const roots = [...Deno.readDirSync(`${test.folder}/w`)].filter(({ name }) => /^r\d/.test(name));
  assertEquals(roots.length, 4);
  test.worker.reset();
  assertEquals([...Deno.readDirSync(`${test.folder}/w`)].map(({ name }) => name), ["cache"]);
});

Deno.test("a root is made anew when a layout was given up half way", async () => {
  using test = testWorker();
  const inputs = await inputsOf(test);
  const expected = await shown(test, inputs);
  const broken = await test.run({ ...job(inputs, ":"), cwd: "/usr/include/a.h" });
  assertEquals(broken.kind, "failed");
  assertEquals(await shown(test, inputs), expected);
});
