import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS, GLOBAL_FLAGS, VERSION_FLAG } from "./commands.ts";
import { type Flag, parseFlags } from "./flags.ts";
import { overview } from "./help.ts";

/** A flag as usage spells it, such as `-f, -file LOCAL`. */
function spelling({ name, aliases = [], ...flag }: Flag): string {
  const names = [...aliases, name].map((name) => `-${name}`).join(", ");
  return flag.kind === "switch" ? names : `${names} ${flag.takes}`;
}

/** Flags of a usage text, but for those that follow the name of another command. */
function flagsIn(text: string, command: string): string[] {
  const own = text.split("\nexamples:\n")[0]?.replaceAll(
    /\bllama (\w+)(?: -[\w-]+)+/g,
    (whole, name) => name === command ? whole : "",
  ) ?? "";
  return [...own.matchAll(/(?<![\w+"'.:/-])--?([a-z0-9][a-z0-9-]*)/gi)].map(([, name = ""]) =>
    name
  );
}

function assertNamesAll(flags: readonly Flag[], text: string, what: string): void {
  for (const flag of flags) {
    const escaped = spelling(flag).replaceAll(/[[\]./]/g, "\\$&");
    const isThere = new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`).test(text);
    assert(isThere, `The usage of ${what} lacks "${spelling(flag)}"`);
  }
}

Deno.test("each command's usage names all of its flags with their values, and no other", async () => {
  for (const { name, load } of COMMANDS) {
    const { flags, usage } = await load();
    assertNamesAll(flags, usage, name);
    const known = [...GLOBAL_FLAGS, ...flags].flatMap(({ name, aliases = [] }) => [
      name,
      ...aliases,
    ]);
    const unknown = flagsIn(usage, name).filter((flag) => !known.includes(flag));
    assertEquals(unknown, [], `The usage of ${name} names flags that it does not take`);
  }
});

Deno.test("the help of llama names all global flags, and no other", () => {
  const flags = [...GLOBAL_FLAGS, VERSION_FLAG];
  assertNamesAll(flags, overview(), "llama");
  const known = flags.flatMap(({ name, aliases = [] }) => [name, ...aliases, "x"]);
  assertEquals(flagsIn(overview(), "").filter((flag) => !known.includes(flag)), []);
});

Deno.test("no command has two flags of one name", async () => {
  for (const { name, load } of COMMANDS) {
    const names = [...GLOBAL_FLAGS, ...(await load()).flags]
      .flatMap(({ name, aliases = [] }) => [name, ...aliases]);
    assertEquals(names.length, new Set(names).size, `${name}: ${names.toSorted().join(" ")}`);
  }
});

Deno.test("each command's usage is 80 columns wide and begins with its summary", async () => {
  for (const { name, summary, load } of COMMANDS) {
    const { usage } = await load();
    assertEquals(usage.split("\n")[0], summary);
    assertStringIncludes(usage, `\nusage: llama ${name}`);
    assert(summary.length <= 60, summary);
    for (const line of usage.split("\n")) assert(line.length <= 80, `${name}: ${line}`);
    if (name !== "version") assertStringIncludes(usage, "\nexit status: ");
  }
  for (const line of overview().split("\n")) assert(line.length <= 80, line);
});

Deno.test("each command's usage has two examples that call it rightly", async () => {
  for (const { name, load } of COMMANDS) {
    const { usage } = await load();
    const examples = (usage.split("\nexamples:\n")[1] ?? "").split(/\n(?= {2}\S)/);
    assertEquals(examples.length, 2, name);
    for (const example of examples) {
      const calls = await callsOf(example.trim());
      assert(calls.some((call) => call.includes(name) || call[0] === "-version"), example);
      for (const call of calls) await assertParses(call);
    }
  }
  const examples = (overview().split("\nexamples:\n")[1] ?? "").trim().split("\n");
  assertEquals(examples.length, 2);
  for (const example of examples) {
    for (const call of await callsOf(example.trim())) await assertParses(call);
  }
});

/** The arguments of each `llama` that a line of shell runs. */
async function callsOf(line: string): Promise<string[][]> {
  const home = await Deno.makeTempDir();
  const path = `${home}/calls`;
  try {
    await Deno.mkdir(`${home}/.config/fish/completions`, { recursive: true });
    // Calls of a pipeline run at once, so each is one write; a process substitution is waited for.
    const script = `llama() { printf '%s\\0' "$@" $'\\1' >>"$CALLS"; }\n` +
      `command_not_found_handle() { :; }\nPATH=/nowhere\n${line}\nwait`;
    await new Deno.Command("bash", {
      args: ["--norc", "-c", script],
      clearEnv: true,
      env: { CALLS: path, HOME: home },
      cwd: home,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    const words = (await Deno.readTextFile(path)).split("\0").slice(0, -1);
    const calls: string[][] = [[]];
    for (const word of words) {
      if (word === "\x01") calls.push([]);
      else calls.at(-1)?.push(word);
    }
    return calls.slice(0, -1);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function assertParses(call: readonly string[]): Promise<void> {
  const { operands: [name, ...args] } = parseFlags(call, [...GLOBAL_FLAGS, VERSION_FLAG], true);
  if (name === undefined) return assertEquals(call, ["-version"]);
  const entry = COMMANDS.find((entry) => entry.name === name);
  assert(entry !== undefined, `There is no command ${name}`);
  const { flags, endAtOperand } = await entry.load();
  parseFlags(args, [...GLOBAL_FLAGS, ...flags], endAtOperand ?? false);
}
