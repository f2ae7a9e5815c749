/** `llama completions`: scripts that let shells complete llama's commands and flags. */
import type { Command, CommandContext } from "./command.ts";
import { COMMANDS, GLOBAL_FLAGS, VERSION_FLAG } from "./commands.ts";
import type { Completed } from "./completed.ts";
import { usageError } from "./flags.ts";
import { nearest } from "./nearest.ts";

const USAGE = `print a script that lets a shell complete command lines

usage: llama completions bash | zsh | fish

The script is made from the same table as llama's parser. It completes commands,
flags, files and programs, and starts no process to do so.

  bash  in ~/.bashrc: source <(llama completions bash)
  zsh   in a folder of $fpath, as a file named _llama
  fish  in ~/.config/fish/completions/llama.fish

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted

examples:
  source <(llama completions bash)
  llama completions fish >~/.config/fish/completions/llama.fish
`;

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Prints a completion script. */
export const completions: Command = { usage: USAGE, operands: SHELLS, flags: [], run };

async function run({ operands, output }: CommandContext): Promise<number> {
  const [name, ...others] = operands;
  if (name === undefined || others.length > 0) {
    throw usageError(`One of ${SHELLS.join(", ")} is needed`, "see llama help completions");
  }
  const shell = SHELLS.find((shell) => shell === name);
  if (shell === undefined) {
    const near = nearest(name, SHELLS);
    throw usageError(
      `There is no completion for ${JSON.stringify(name)}`,
      near === undefined ? `there is for ${SHELLS.join(", ")}` : `did you mean ${near}?`,
    );
  }
  const script = await scriptFor(shell);
  await output.result({ shell, script }, script);
  return 0;
}

async function scriptFor(shell: typeof SHELLS[number]): Promise<string> {
  const { completed } = await import("./completed.ts");
  const commands: Completed[] = [];
  for (const { name, summary, load } of COMMANDS) {
    commands.push(completed(name, summary, await load()));
  }
  commands.push({
    name: "help",
    summary: "say how llama or a command is used",
    flags: [],
    operands: COMMANDS.map(({ name }) => name),
  });
  const line = { commands, globals: GLOBAL_FLAGS, leading: [...GLOBAL_FLAGS, VERSION_FLAG] };
  switch (shell) {
    case "bash":
      return (await import("./complete_bash.ts")).bashScript(line);
    case "zsh":
      return (await import("./complete_zsh.ts")).zshScript(line);
    case "fish":
      return (await import("./complete_fish.ts")).fishScript(line);
  }
}
