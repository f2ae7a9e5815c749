import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { digestOf } from "../job/digest.ts";
import { encodeManifest, type Input } from "../job/manifest.ts";
import { encodePack, type Packed } from "../job/pack.ts";
import type { JobSpec } from "../job/spec.ts";
import { readElfFile } from "./elf.ts";
import { inline, type TestWorker, testWorker, textOf } from "./worker_fixture.ts";

/** Everything that local programs need to run elsewhere, as inputs of a root. */
class Shipment {
  readonly objects = new Map<string, Packed>();
  readonly inputs = new Map<string, Input>();

  /** Adds a file of this machine with the links on its way. */
  async add(path: string): Promise<void> {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const real = folder === "" ? "" : Deno.realPathSync(folder);
    if (real !== folder) this.#linksTo(folder);
    const here = `${real}/${path.slice(folder.length + 1)}`;
    const info = Deno.lstatSync(here);
    if (info.isSymlink) {
      const target = Deno.readLinkSync(here);
      this.inputs.set(here, { kind: "link", path: here, target });
      await this.add(target.startsWith("/") ? target : `${real}/${target}`);
      return;
    }
    const bytes = Deno.readFileSync(here);
    const digest = await digestOf(bytes);
    this.objects.set(digest, { digest, bytes });
    this.inputs.set(here, {
      kind: "file",
      path: here,
      mode: (info.mode ?? 0) & 0o7777,
      mtimeMs: 1e12,
      content: { digest, size: bytes.length },
    });
  }

  #linksTo(folder: string): void {
    let at = "";
    for (const name of folder.slice(1).split("/")) {
      at += "/" + name;
      if (!Deno.lstatSync(at).isSymlink) continue;
      this.inputs.set(at, { kind: "link", path: at, target: Deno.readLinkSync(at) });
      at = Deno.realPathSync(at);
    }
  }

  /** Adds a program with the libraries and the loader that ldd(1) tells. */
  async addProgram(path: string): Promise<void> {
    await this.add(path);
    const { stdout } = await new Deno.Command("ldd", { args: [path], stderr: "null" }).output();
    for (const [, library] of new TextDecoder().decode(stdout).matchAll(/(\/\S+) \(0x/g)) {
      if (library) await this.add(library);
    }
  }

  /** Puts all into the store of `test`, and returns what a job names. */
  async ship({ objects }: TestWorker): Promise<Pick<JobSpec, "manifests">> {
    const pack = await objects.put(encodePack(this.objects.values()));
    const manifest = encodeManifest({ packs: [pack], inputs: [...this.inputs.values()] });
    return { manifests: [await objects.put(manifest)] };
  }
}

const libraryPath = [
  "/lib/x86_64-linux-gnu",
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
];

async function hasGcc(): Promise<boolean> {
  try {
    return (await new Deno.Command("gcc", { args: ["--version"], stdout: "null" }).output())
      .success;
  } catch {
    return false;
  }
}
const gcc = await hasGcc();

let shim: Promise<Packed> | undefined;

/** Compiles the path shim, once. */
async function compileShim(): Promise<Packed> {
  const folder = Deno.makeTempDirSync();
  try {
    const source = new URL("path_shim.c", import.meta.url).pathname;
    const args = ["-shared", "-fPIC", "-O1", "-w", "-o", `${folder}/shim.so`, source, "-ldl"];
    const { success, stderr } = await new Deno.Command("gcc", { args }).output();
    assert(success, new TextDecoder().decode(stderr));
    const bytes = Deno.readFileSync(`${folder}/shim.so`);
    return { digest: await digestOf(bytes), bytes };
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Adds the path shim to `shipment` as `/shim.so`. */
async function addShim(shipment: Shipment): Promise<void> {
  const { digest, bytes } = await (shim ??= compileShim());
  shipment.objects.set(digest, { digest, bytes });
  const content = { digest, size: bytes.length };
  shipment.inputs.set("/shim.so", { kind: "file", path: "/shim.so", mode: 0o755, content });
}

Deno.test("a rooted job runs a shipped program through the loader that was shipped with it", async () => {
  using test = testWorker();
  const shipment = new Shipment();
  await shipment.addProgram("/usr/bin/env");
  const rooted = { libraryPath };
  const job = {
    ...await shipment.ship(test),
    rooted,
    args: ["env"],
    env: { PATH: "/opt:/usr/bin" },
  };
  const result = await test.done(job);
  assertEquals(textOf(result.stderr), "");
  const root = `${test.folder}/w/r0`;
  assertEquals(textOf(result.stdout).trim().split("\n").sort(), [
    `LD_LIBRARY_PATH=${libraryPath.map((path) => root + path).join(":")}`,
    "PATH=/opt:/usr/bin",
  ]);
  assertEquals(result.proof, undefined);
  const interp = readElfFile(`${root}/usr/bin/env`)?.interp?.path ?? "";
  assert(interp.startsWith(`${test.folder}/l/`), interp);
  const own = readElfFile("/usr/bin/env")?.interp?.path ?? "";
  assertEquals(Deno.readFileSync(interp), Deno.readFileSync(own));
  // One pack and one manifest, once; and a loader that somebody touched is put right.
  Deno.writeTextFileSync(interp, "touched");
  await test.done(job);
  assertEquals(Deno.readFileSync(interp), Deno.readFileSync(own));
  assertEquals(test.objects.asked.length, 2);
});

Deno.test("a program whose loader was not shipped keeps its own", async () => {
  using test = testWorker();
  const shipment = new Shipment();
  await shipment.add("/usr/bin/env");
  const own = readElfFile("/usr/bin/env")?.interp?.path;
  const job = { ...await shipment.ship(test), rooted: { libraryPath: [] }, args: ["/usr/bin/env"] };
  assertEquals((await test.done(job)).status, { kind: "exit", code: 0 });
  assertEquals(readElfFile(`${test.folder}/w/r0/usr/bin/env`)?.interp?.path, own);
});

Deno.test({
  name: "under the path shim a job sees its root as / and the proof tells what it looked for",
  ignore: !gcc,
  async fn() {
    using test = testWorker();
    const shipment = new Shipment();
    for (const program of ["/usr/bin/env", "/usr/bin/cat", "/bin/sh"]) {
      await shipment.addProgram(program);
    }
    await addShim(shipment);
    const script = "pwd; cat /etc/mine; cat /etc/passwd; echo made > /home/u/out; env";
    const result = await test.done({
      ...await shipment.ship(test),
      rooted: { shim: "/shim.so", libraryPath },
      args: ["sh", "-c", script],
      env: { PATH: "/opt/bin:/usr/bin:/bin", PWD: "/home/u" },
      cwd: "/home/u",
      inputs: [{ kind: "file", path: "/etc/mine", mode: 0o644, content: inline("mine\n") }],
      wanted: [{ match: "exact", path: "/home/u/out" }],
    });
    const { proof } = result;
    assert(proof);
    assertEquals(result.status, { kind: "exit", code: 0 });
    assertStringIncludes(textOf(result.stdout), "/home/u\nmine\n");
    assert(!textOf(result.stdout).includes("root:"), "the worker's own file shows");
    assertStringIncludes(textOf(result.stderr), "/etc/passwd: No such file");
    assertEquals(result.outputs.map(({ path }) => path), ["/home/u/out"]);
    assertEquals(proof.blind, []);
    for (const path of ["/etc/mine", "/usr/bin/cat"]) assert(proof.opened.includes(path), path);
    for (const path of ["/etc/passwd", "/opt/bin/sh", "/opt/bin/cat"]) {
      assert(proof.absent.includes(path), path);
    }
  },
});

Deno.test({
  name: "a script of a rooted job runs under the interpreter of its root",
  ignore: !gcc,
  async fn() {
    using test = testWorker();
    const shipment = new Shipment();
    await shipment.addProgram("/bin/sh");
    await addShim(shipment);
    const script = {
      kind: "file",
      path: "/w/s",
      mode: 0o755,
      content: inline("#!/bin/sh -e\necho $0 $1; false; echo no"),
    } as const;
    const result = await test.done({
      ...await shipment.ship(test),
      rooted: { shim: "/shim.so", libraryPath },
      args: ["./s", "one"],
      cwd: "/w",
      inputs: [script],
    });
    assertEquals(textOf(result.stderr), "");
    assertEquals(textOf(result.stdout), "/w/s one\n");
    assertEquals(result.status, { kind: "exit", code: 1 });
    assert(result.proof?.opened.includes("/w/s"));
  },
});

Deno.test({
  name: "a statically linked program makes the proof blind",
  ignore: !gcc,
  async fn() {
    using test = testWorker();
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/s.c`, "int main(void){return 7;}");
      await new Deno.Command("gcc", { args: ["-static", "-o", `${folder}/s`, `${folder}/s.c`] })
        .output();
      const shipment = new Shipment();
      await addShim(shipment);
      const result = await test.done({
        ...await shipment.ship(test),
        rooted: { shim: "/shim.so", libraryPath },
        args: ["/s"],
        inputs: [{
          kind: "file",
          path: "/s",
          mode: 0o755,
          content: { bytes: Deno.readFileSync(`${folder}/s`) },
        }],
      });
      assertEquals(result.status, { kind: "exit", code: 7 });
      assertEquals(result.proof?.blind, ['statically linked program "/s"']);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "a shipped compiler makes the object that it makes here",
  ignore: !gcc,
  async fn() {
    using test = testWorker();
    const shipment = new Shipment();
    const ask = async (name: string) => {
      const { stdout } = await new Deno.Command("gcc", { args: [`-print-prog-name=${name}`] })
        .output();
      const path = new TextDecoder().decode(stdout).trim();
      return path.startsWith("/") ? path : `/usr/bin/${path}`;
    };
    for (const program of ["/usr/bin/gcc", await ask("cc1"), await ask("as")]) {
      await shipment.addProgram(program);
    }
    await addShim(shipment);
    await shipment.add("/usr/include/stdc-predef.h");
    const folder = Deno.makeTempDirSync();
    try {
      const source = `#include "own.h"\nint f(int a) { return a * OWN; }\n`;
      Deno.writeTextFileSync(`${folder}/a.c`, source);
      Deno.writeTextFileSync(`${folder}/own.h`, "#define OWN 3\n");
      const args = ["gcc", "-g", "-O2", "-MMD", "-c", "a.c", "-o", "a.o"];
      const here = await new Deno.Command("gcc", {
        args: args.slice(1),
        cwd: folder,
        clearEnv: true,
        env: { PATH: "/usr/bin", PWD: folder },
      }).output();
      assert(here.success, new TextDecoder().decode(here.stderr));
      const content = (text: string) => inline(text);
      const result = await test.done({
        ...await shipment.ship(test),
        rooted: { shim: "/shim.so", libraryPath },
        args,
        env: { PATH: "/usr/bin", PWD: folder },
        cwd: folder,
        inputs: [
          { kind: "file", path: `${folder}/a.c`, mode: 0o644, content: content(source) },
          {
            kind: "file",
            path: `${folder}/own.h`,
            mode: 0o644,
            content: content("#define OWN 3\n"),
          },
        ],
        wanted: [{ match: "prefix", path: `${folder}/a.` }],
      });
      assertEquals(textOf(result.stderr), "");
      assertEquals(result.outputs.map(({ path }) => path), [`${folder}/a.d`, `${folder}/a.o`]);
      for (const output of result.outputs) {
        assert(output.kind === "file" && "bytes" in output.content);
        assertEquals(output.content.bytes, Deno.readFileSync(output.path));
      }
      assertEquals(result.proof?.blind, []);
      assert(result.proof?.opened.includes(`${folder}/own.h`));
      assert(result.proof?.absent.includes(`${folder}/own.h.gch`));
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});
