import { assert, assertEquals, assertThrows } from "@std/assert";
import { readSettings } from "../cc/settings.ts";
import { LlamaError } from "../job/errors.ts";
import { createCompilerLookup, type FoundCompiler } from "./compiler_lookup.ts";
import { realFiles } from "./real_files.ts";

interface Machine {
  readonly folder: string;
  /** Makes a program, or a link where `text` begins with `->`. */
  make(path: string, text?: string): Promise<void>;
  /** Looks the compiler up; folders of PATH are below the machine's folder. */
  find(calledAs: string, path: string, env?: Record<string, string>): FoundCompiler;
}

const LAUNCHER = "\x7fELF llamacc: this is the client of the llama daemon";

async function withMachine(test: (machine: Machine) => Promise<void> | void): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  const lookup = createCompilerLookup(realFiles);
  const make: Machine["make"] = async (path, text = "\x7fELF") => {
    const file = `${folder}/${path}`;
    await Deno.mkdir(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    if (text.startsWith("->")) await Deno.symlink(text.slice(2), file);
    else await Deno.writeTextFile(file, text, { mode: 0o755 });
  };
  try {
    await make("bin/llamacc", LAUNCHER);
    await make("bin/llama", LAUNCHER);
    await make("usr/gcc");
    await make("usr/g++");
    await make("usr/cc", "->gcc");
    await test({
      folder,
      make,
      find: (calledAs, path, env = {}) =>
        lookup.find({
          calledAs,
          settings: readSettings(env),
          env: { PATH: path.replaceAll(/[^:]+/g, `${folder}/$&`), ...env },
          cwd: folder,
        }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("find() looks behind a folder of links for the name that it was called by", () =>
  withMachine(async ({ folder, make, find }) => {
    for (const name of ["gcc", "g++"]) await make(`links/${name}`, "->../bin/llamacc");
    const { driver, name, path, local, cxx } = find("gcc", "links:usr");
    assertEquals([driver, name, path, cxx], [`${folder}/usr/gcc`, "gcc", `${folder}/usr`, false]);
    assertEquals(local, { program: driver, argv: ["gcc"] });
    assertEquals(find(`${folder}/links/g++`, "links:usr").driver, `${folder}/usr/g++`);
    // Which folder of PATH it stands in makes no difference.
    assertEquals(find("gcc", "usr:links").path, `${folder}/usr:${folder}/links`);
  }));

Deno.test("find() leaves a folder in PATH that holds other programs, and calls the compiler by its path", () =>
  withMachine(async ({ folder, make, find }) => {
    await make("links/gcc", "->../bin/llamacc");
    await make("links/ld.mold");
    const { name, path } = find("gcc", "links:usr");
    assertEquals([name, path], [`${folder}/usr/gcc`, `${folder}/links:${folder}/usr`]);
    // A folder that gets its first other program is no longer one of links alone.
    await make("more/gcc", "->../bin/llamacc");
    assertEquals(find("gcc", "more:usr").name, "gcc");
    await make("more/ld.mold");
    assertEquals(find("gcc", "more:usr").name, `${folder}/usr/gcc`);
  }));

Deno.test("find() never takes itself, be it a link, a chain of links, a copy or a script", () =>
  withMachine(async ({ folder, make, find }) => {
    await make("a/gcc", "->../b/other");
    await make("b/other", "->../bin/llamacc");
    await make("c/gcc", LAUNCHER);
    await make(
      "d/gcc",
      '#!/bin/sh\nLLAMACC_ARGV0=gcc exec deno run -A jsr:@llama/cli/llamacc "$@"\n',
    );
    await make("e/gcc", '#!/bin/sh\nexec llamacc "$@"\n');
    assertEquals(find("gcc", "a:c:d:e:usr").driver, `${folder}/usr/gcc`);
    const error = assertThrows(() => find("gcc", "a:c:d:e"), LlamaError);
    assertEquals([error.code, error.message, error.hint], [
      "CompilerIsLlamacc",
      'Cannot find the compiler "gcc" as there is only llamacc by that name',
      "add the folder of the compiler to PATH",
    ]);
    const own = { LLAMACC_LOCAL_CC: `${folder}/bin/llamacc` };
    assertEquals(assertThrows(() => find("llamacc", "usr", own), LlamaError).code, error.code);
    // What was a copy of it may be a compiler by now.
    await Deno.writeTextFile(`${folder}/c/gcc`, "\x7fELF other");
    assertEquals(find("gcc", "a:c:d:e:usr").driver, `${folder}/c/gcc`);
  }));

Deno.test("find() takes the first of the names that a prefix or a version can mean", () =>
  withMachine(async ({ folder, make, find }) => {
    await make("usr/arm-clang");
    await make("usr/g++-11");
    const env = { LLAMACC_LOCAL_CC: "gcc" };
    assertEquals(find("arm-llamacc", "usr", env).driver, `${folder}/usr/arm-clang`);
    assertEquals(find("llamac++-11", "usr").name, "g++-11");
    await make("usr/arm-gcc");
    assertEquals(find("arm-llamacc", "usr", env).driver, `${folder}/usr/arm-gcc`);
    const error = assertThrows(() => find("mips-llamacc", "usr"), LlamaError);
    assertEquals(error.message, 'Cannot find the compiler "mips-gcc" in PATH');
  }));

Deno.test("find() sends the compiler behind ccache elsewhere, and runs ccache here", () =>
  withMachine(async ({ folder, make, find }) => {
    await make("usr/ccache");
    await make("ccache/gcc", "->../usr/ccache");
    for (const path of ["ccache:usr", "usr:ccache"]) {
      const { driver, name, local } = find("gcc", path);
      assertEquals(driver, `${folder}/usr/gcc`);
      // As ccache calls it; and what PATH has first is what the user asked for.
      const first = path.startsWith("ccache");
      assertEquals(name, first ? driver : "gcc");
      assertEquals(local, { program: first ? `${folder}/ccache/gcc` : driver, argv: ["gcc"] });
    }
    const byPath = find("llamacc", "usr", { LLAMACC_LOCAL_CC: `${folder}/ccache/gcc` });
    assertEquals([byPath.driver, byPath.local.program], [
      `${folder}/usr/gcc`,
      `${folder}/ccache/gcc`,
    ]);
    const words = find("llamacc", "usr", { LLAMACC_LOCAL_CC: "ccache gcc -m32" });
    assertEquals([words.driver, words.name, words.args], [`${folder}/usr/gcc`, "gcc", ["-m32"]]);
    assertEquals(words.local, {
      program: `${folder}/usr/ccache`,
      argv: ["ccache", "gcc", "-m32"],
    });
    const error = assertThrows(
      () => find("llamacc", "usr", { LLAMACC_LOCAL_CC: "sccache gcc" }),
      LlamaError,
    );
    assertEquals(error.message, 'Cannot find "sccache" in PATH');
    assertEquals(find("gcc", "ccache").localReason, "compiler-runner");
  }));

Deno.test("find() ends a circle of programs that run the next compiler in PATH", () =>
  withMachine(async ({ folder, make, find }) => {
    await make("usr/ccache");
    await make("ccache/gcc", "->../usr/ccache");
    await make("script/gcc", "#!/bin/sh\nexec gcc -m32\n");
    const first = find("gcc", "script:ccache:usr");
    assertEquals([first.local.program, first.nested, first.localReason], [
      `${folder}/script/gcc`,
      false,
      "compiler-script",
    ]);
    const below = find("gcc", "script:ccache:usr", { LLAMACC_NESTED: "1" });
    assertEquals([below.local.program, below.nested], [`${folder}/usr/gcc`, true]);
    const error = assertThrows(
      () => find("gcc", "script:usr", { LLAMACC_NESTED: "2" }),
      LlamaError,
    );
    assertEquals(
      error.message,
      `Cannot run the compiler "${folder}/usr/gcc" as it leads back to llamacc`,
    );
  }));

Deno.test("find() keeps here what cannot be the same elsewhere", () =>
  withMachine(async ({ folder, make, find }) => {
    await make("usr/tcc", "#!/bin/sh\nexec gcc\n");
    assertEquals(find("tcc", "usr").localReason, "compiler-script");
    await make("usr/suid");
    await Deno.chmod(`${folder}/usr/suid`, 0o4755);
    assertEquals(find("suid", "usr").localReason, "compiler-setuid");
    assertEquals(find("gcc", "usr").localReason, undefined);
  }));

Deno.test("find() looks where a shell would: relative folders, and paths, are the working folder's", () =>
  withMachine(({ folder, find }) => {
    assertEquals(find("gcc", "", { PATH: "usr" }).driver, `${folder}/usr/gcc`);
    const { driver, name, local } = find("llamacc", "", { LLAMACC_LOCAL_CC: "usr/gcc" });
    assertEquals([driver, name, local.program], [`${folder}/usr/gcc`, "usr/gcc", driver]);
    // Whoever runs it says what is wrong with it.
    const { driver: none } = find("llamacc", "usr", { LLAMACC_LOCAL_CC: "/no/such/cc" });
    assertEquals(none, "/no/such/cc");
    assert(find("gcc", "", { PATH: `${folder}/usr`, LLAMACC_ARGV0: "g++" }).cxx);
  }));
