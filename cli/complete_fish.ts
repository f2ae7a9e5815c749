/** The completion script for fish (fish manual, "complete"). */
import type { Operands } from "./command.ts";
import { type CompletedLine, spellingsOf } from "./completed.ts";
import type { Flag } from "./flags.ts";

/** Finds the command: fish's own function takes the value of a flag before it for one. */
const FUNCTIONS = String.raw`
function __llama_command
    set -l is_value
    for word in (commandline -opc)[2..]
        if set -q is_value[1]
            set -e is_value
        else if string match -qr -- '^--?(@valued@)$' $word
            set is_value yes
        else if not string match -q -- '-*' $word
            echo $word
            return
        end
    end
    return 1
end

function __llama_is
    test "$(__llama_command)" = $argv[1]
end
`;

/** The script. fish calls `-name` an old option and `--name` a long one; llama takes both. */
export function fishScript({ commands, globals, leading }: CompletedLine): string {
  const valued = spellingsOf(leading).filter(({ value }) => value !== "none");
  const lines = [
    `# Completes llama's command line; made by "llama completions fish".`,
    FUNCTIONS.replace("@valued@", valued.map(({ name }) => name).join("|")),
    "complete -c llama -e",
    "complete -c llama -f",
    ...linesOfFlags(leading, "not __llama_command"),
  ];
  for (const { name, summary, flags, operands } of commands) {
    lines.push(`complete -c llama -n 'not __llama_command' -a ${name} -d ${quote(summary)}`);
    const isIt = `__llama_is ${name}`;
    lines.push(...linesOfFlags([...globals, ...flags], isIt));
    const offered = offerOf(operands);
    if (offered !== "") lines.push(`complete -c llama -n ${quote(isIt)} ${offered}`);
  }
  return lines.join("\n") + "\n";
}

function linesOfFlags(flags: readonly Flag[], condition: string): string[] {
  return spellingsOf(flags).flatMap(({ name, value }) => {
    const takes = {
      none: "",
      file: " -r -F",
      folder: ` -x -a '(__fish_complete_directories)'`,
      other: " -x",
    }[value];
    const short = name.length === 1 ? [`-s ${name}`] : [`-o ${name}`];
    return [...short, `-l ${name}`].map((option) =>
      `complete -c llama -n ${quote(condition)} ${option}${takes}`
    );
  });
}

function offerOf(operands: Operands): string {
  switch (operands) {
    case "files":
      return "-F";
    case "programs":
      return "-a '(__fish_complete_command)'";
    case "job":
      return "-F -a '(__fish_complete_command)'";
    default:
      return operands.length === 0 ? "" : `-a ${quote(operands.join(" "))}`;
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
