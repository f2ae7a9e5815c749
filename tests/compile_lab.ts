/**
 * Compiles with llamacc in an embedded cloud of its own and with the local compiler, in the same folder,
 * and compares all that a build can see.
 */
import { assert, assertEquals } from "@std/assert";
import { cleanEnvironment, run } from "../scripts/demo/tools.ts";

const root = new URL("../", import.meta.url).pathname;

/** What the daemon counted for one compilation. */
export interface Counted {
  /** Jobs. */
  readonly rounds: number;
  /** Results that did not count, by reason. */
  readonly voids: Readonly<Record<string, number>>;
}

/** A compilation. */
export interface Compile {
  /** Behind the compiler's name; `-o` and `-MF` are added. */
  readonly args: readonly string[];
  /** Compiles C++, with llamac++. */
  readonly cxx?: boolean;
  /** Path of the C compiler, `cc` of PATH unless given. */
  readonly cc?: string;
  /** Working folder, that of the case unless given. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as soon as the compiler runs on a worker; `args` must then name a unique source. */
  readonly meanwhile?: () => Promise<void>;
}

/** A folder for one case, with ways to fill it and to compile in it. */
export interface Case {
  readonly folder: string;
  /** Writes a file and makes the folders above it. */
  write(path: string, text: string): Promise<void>;
  /**
   * Compiles elsewhere, then here, and compares status, stdout, stderr, object and dependency file.
   * It must have run elsewhere, and not here after all.
   */
  compare(compile: Compile): Promise<Counted>;
}

/** The cloud and the daemon that all cases share. */
export interface Lab {
  /** Makes an empty folder for a case. */
  open(): Promise<Case>;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Each output as base64, by name. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs `test` with a cloud and a daemon of their own, and ends both. */
export async function inLab(test: (lab: Lab) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "llama-proof-" }));
  const env = cleanEnvironment({ bin: `${root}bin`, llamaDir: `${folder}/llama` });
  const options = { cwd: folder, env };
  let cases = 0;
  try {
    await run(["llama", "bootstrap"], options);
    await run(["llama", "daemon", "-autostart"], options);
    await test({
      open: async () => {
        const own = `${folder}/case${cases++}`;
        await Deno.mkdir(own);
        return createCase(own, env);
      },
    });
  } finally {
    await run(["llama", "daemon", "-shutdown"], options).catch(() => "none runs");
    await run(["llama", "cloud", "-stop"], options).catch(() => "none runs");
    await Deno.remove(folder, { recursive: true });
  }
}

function createCase(folder: string, env: Readonly<Record<string, string>>): Case {
  const out = `${folder}/out`;

  const compile = async (compiler: string, { args, cwd, env: own, meanwhile }: Compile) => {
    await Deno.remove(out, { recursive: true }).catch(ignoreAbsent);
    await Deno.mkdir(out);
    // Deno gives a program its path for a name, which a compiler prints.
    const child = new Deno.Command("/usr/bin/env", {
      args: [compiler, ...args, "-c", "-o", `${out}/x.o`, "-MD", "-MF", `${out}/x.d`],
      cwd: cwd ?? folder,
      // The shell's idea of the working folder, unless the case has one.
      env: { ...env, PWD: cwd ?? folder, LLAMACC_LOCAL_FALLBACK: "0", ...own },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (meanwhile) await running(args.at(-1) ?? "").then(meanwhile);
    const { code, stdout, stderr } = await child.output();
    const outputs: Record<string, string> = {};
    for await (const { name } of Deno.readDir(out)) {
      outputs[name] = (await Deno.readFile(`${out}/${name}`)).toBase64();
    }
    const decoder = new TextDecoder();
    // No two runs have the same temporary files.
    const printed = decoder.decode(stderr).replaceAll(/\/tmp\/cc\w{6}\.s/g, "/tmp/ccXXXXXX.s");
    return { code, stdout: decoder.decode(stdout), stderr: printed, outputs };
  };

  return {
    folder,
    write: async (path, text) => {
      const full = `${folder}/${path}`;
      await Deno.mkdir(full.slice(0, full.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(full, text);
    },
    compare: async (asked) => {
      const { meanwhile: _, cc = "cc", ...rest } = asked;
      const there: Ended = await compile(asked.cxx ? "llamac++" : "llamacc", {
        ...asked,
        env: { LLAMACC_LOCAL_CC: cc, ...asked.env },
      });
      const here: Ended = await compile(asked.cxx ? "c++" : cc, rest);
      const stats = JSON.parse(
        await run(["llama", "daemon", "-stats", "-json", "-zero"], { cwd: folder, env }),
      );
      assertEquals(there, here, `llamacc ${asked.args.join(" ")}: ${JSON.stringify(stats)}`);
      assertEquals([stats.remote, stats.local, stats.fallback], [1, {}, {}], "did not run there");
      // A case whose local compile makes nothing by mistake would prove nothing.
      assert(here.code !== 0 || here.outputs["x.o"] !== undefined);
      return { rounds: stats.rounds, voids: stats.voids };
    },
  };
}

/** Waits until a compiler's own process (not the driver) works on `source`, which no other one does. */
async function running(source: string): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    for await (const { name } of Deno.readDir("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      const command = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
      if (/\/cc1(?:plus)?\0/.test(command) && command.includes(`\0${source}\0`)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`Cannot wait for the compiler of "${source}" as it does not start`);
}

function ignoreAbsent(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
