/** The cases of tests/nasty: a folder each, of files and a shell script `command`, which uses $CC and $CXX. */
import type { Entry, FuzzCase } from "./fuzz/case.ts";

/** A case. */
export interface NastyCase {
  readonly name: string;
  readonly fuzzed: FuzzCase;
  /** Compilations that llamacc is to run on this machine by choice, by reason; all others run elsewhere. */
  readonly local: Readonly<Record<string, number>>;
  /** Those that it runs here after all. */
  readonly fallback: Readonly<Record<string, number>>;
}

/**
 * Reads all cases, by name. The first lines of `command` may be `# compiler: NAME`, `# local: REASON COUNT, ...` and
 * `# fallback: CODE COUNT, ...`.
 */
export async function readNastyCases(folder: string): Promise<NastyCase[]> {
  const cases: NastyCase[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const command = await Deno.readTextFile(`${folder}/${name}/command`);
    const entries: Entry[] = [];
    await addEntries(`${folder}/${name}`, "", entries);
    const said = new Map(
      [...command.matchAll(/^# (\w+): (.*)$/gm)].map(([, key = "", value = ""]) => [key, value]),
    );
    for (const key of said.keys()) {
      if (!["compiler", "local", "fallback"].includes(key)) {
        throw new Error(`The case "${name}" says "${key}", which means nothing`);
      }
    }
    cases.push({
      name,
      local: countsOf(said.get("local")),
      fallback: countsOf(said.get("fallback")),
      fuzzed: {
        compiler: said.get("compiler") ?? "cc",
        entries,
        steps: [{ kind: "run", command: ["sh", "-c", command] }],
        cwd: ".",
        umask: 0o022,
        env: {},
        stdin: "",
      },
    });
  }
  return cases.sort((a, b) => a.name < b.name ? -1 : 1);
}

async function addEntries(folder: string, prefix: string, entries: Entry[]): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = prefix + name;
    if (path === "command") continue;
    if (isDirectory) await addEntries(`${folder}/${name}`, `${path}/`, entries);
    else {
      const text = await Deno.readTextFile(`${folder}/${name}`);
      entries.push({ kind: "file", path, text, mode: 0o644 });
    }
  }
}

function countsOf(text: string | undefined): Record<string, number> {
  return Object.fromEntries(
    (text?.split(", ") ?? []).map((item) => {
      const [reason = "", count] = item.split(" ");
      return [reason, Number(count)];
    }),
  );
}
