import { assertEquals, assertStringIncludes } from "@std/assert";
import { COMMANDS } from "../cli/commands.ts";
import { BIN } from "./build_cloud.ts";

/** A command line up to the cursor, and what is offered there. */
type Case = readonly [words: string, offered: string];

/** Cases that all shells answer alike. */
const CASES: readonly Case[] = [
  ["llama inv", "invoke"],
  ["llama -reg", "-region"],
  ["llama --prof", "--profile"],
  ["llama -region us-east-1 inv", "invoke"],
  ["llama help desc", ""],
  ["llama help dest", "destroy"],
  ["llama invoke -ti", "-time -timeout"],
  ["llama invoke --tim", "--time --timeout"],
  ["llama invoke -debug", "-debug-aws"],
  ["llama invoke -f a.", "a.txt"],
  ["llama invoke -timeout ", ""],
  ["llama store a.", "a.txt"],
  ["llama toolchain -links fol", "folder/"],
  ["llama completions z", "zsh"],
  ["llama cloud se", "serve"],
];

/** bash takes words apart at `=` and `:`. */
const BASH_CASES: readonly Case[] = [
  ["llama -region = us-east-1 inv", "invoke"],
  ["llama invoke -file = a.", "a.txt"],
  ["llama invoke -file =", "a.txt folder/"],
  ["llama invoke -f a.txt : a.", ""],
  ["llama invoke -timeout = ", ""],
  ["llama invoke llama a.", ""],
  ["llama invoke llama cat a.", "a.txt"],
  ["llama invoke llama cat -", ""],
  ["llama store -- -", ""],
  ["llama nonsense -", ""],
];

async function llama(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: Deno.env.get("PATH") ?? "", HOME: "/nowhere", NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(`${BIN}/llama`, {
    args,
    env,
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a shell in a folder with a file and a folder; its PATH has no program. */
async function inShell(shell: string, args: string[], script: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/folder`);
    await Deno.writeTextFile(`${folder}/a.txt`, "");
    const { stdout, stderr } = await new Deno.Command(shell, {
      args: [...args, "-c", script],
      cwd: folder,
      env: { HOME: folder, PATH: "/nowhere", LANG: "C.UTF-8" },
      clearEnv: true,
      stdin: "null",
    }).output();
    assertEquals(new TextDecoder().decode(stderr), "");
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("llama completions bash has a real bash complete commands, flags and files", async () => {
  const { stdout: script } = await llama("completions", "bash");
  for (const [words, offered] of [...CASES, ...BASH_CASES]) {
    const answer = await inShell(
      "/bin/bash",
      ["--norc"],
      `${script}
[[ $(complete -p llama) == "complete -F _llama llama" ]] || exit
COMP_WORDS=(${words}${words.endsWith(" ") ? '""' : ""})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_llama
for reply in "\${COMPREPLY[@]}"; do
  if [[ -d $reply ]]; then echo "$reply/"; else echo "$reply"; fi
done`,
    );
    const found = answer.split("\n").filter((line) => line !== "").toSorted().join(" ");
    assertEquals(found, offered, words);
  }
});

const fish = await which("fish");

Deno.test({
  name: "llama completions fish has a real fish do so (skipped where there is none)",
  ignore: fish === undefined,
  fn: async () => {
    const { stdout: script } = await llama("completions", "fish");
    for (const [words, offered] of CASES) {
      const answer = await inShell(
        fish ?? "",
        ["--no-config"],
        `${script}\ncomplete -C '${words}'`,
      );
      const found = answer.split("\n").filter((line) => line !== "")
        .map((line) => line.split("\t")[0]).toSorted().join(" ");
      assertEquals(found, offered, words);
    }
  },
});

const zsh = await which("zsh");

Deno.test({
  name: "llama completions zsh prints what zsh can read (skipped where there is none)",
  ignore: zsh === undefined,
  fn: async () => {
    const { stdout: script } = await llama("completions", "zsh");
    assertEquals(
      await inShell(
        zsh ?? "",
        ["-f"],
        `compdef() { print "$@" }\n${script}\nprint \${(k)functions[_llama]}`,
      ),
      "_llama llama\n_llama\n",
    );
  },
});

Deno.test("llama completions knows all commands in each shell, and says which shells it knows", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout, stderr } = await llama("completions", shell);
    assertEquals([code, stderr], [0, ""]);
    for (const { name } of COMMANDS) assertStringIncludes(stdout, name);
  }
  const cases: [string[], string][] = [
    [[], "One of bash, zsh, fish is needed"],
    [["bash", "zsh"], "One of bash, zsh, fish is needed"],
    [["bsh"], 'There is no completion for "bsh" (did you mean bash?)'],
    [["powershell"], "there is for bash, zsh, fish"],
  ];
  for (const [args, message] of cases) {
    const { code, stdout, stderr } = await llama("completions", ...args);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
  }
});

async function which(name: string): Promise<string | undefined> {
  for (const folder of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    try {
      if ((await Deno.stat(`${folder}/${name}`)).isFile) return `${folder}/${name}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
