/** The completion script for zsh (zsh manual, "Completion System", _arguments and _describe). */
import type { Operands } from "./command.ts";
import { type CompletedLine, type Spelling, spellingsOf } from "./completed.ts";
import type { Flag } from "./flags.ts";

/** The script, which also works when it is sourced. */
export function zshScript({ commands, globals, leading }: CompletedLine): string {
  const described = commands.map(({ name, summary }) =>
    `    ${quote(`${name}:${summary.replaceAll(":", "\\:")}`)}\n`
  );
  const cases = commands.map(({ name, flags, operands }) =>
    `    ${name})\n      _arguments -S${spec([...globals, ...flags], operands)} ;;\n`
  );
  return `#compdef llama
# Completes llama's command line; made by "llama completions zsh".

_llama() {
  local curcontext=$curcontext state state_descr line
  typeset -A opt_args
  local -a commands=(
${described.join("")}  )
  _arguments -C -S${specOfFlags(leading)} \\
    '1:command:->command' '*::argument:->argument' && return
  case $state in
    command) _describe command commands; return ;;
  esac
  case $line[1] in
${cases.join("")}  esac
}

if [[ $funcstack[1] == _llama ]]; then _llama "$@"; else compdef _llama llama; fi
`;
}

function spec(flags: readonly Flag[], operands: Operands): string {
  return `${specOfFlags(flags)} \\\n        ${specOfOperands(operands)}`;
}

function specOfFlags(flags: readonly Flag[]): string {
  return spellingsOf(flags).flatMap(({ name, value }) =>
    ["-", "--"].map((dashes) => ` \\\n        ${quote(`*${dashes}${name}${action(value)}`)}`)
  ).join("");
}

const ACTIONS: Readonly<Record<Spelling["value"], string>> = {
  none: "",
  file: "=:file:_files",
  folder: "=:folder:_files -/",
  other: "=:value: ",
};

function action(value: Spelling["value"]): string {
  return ACTIONS[value];
}

function specOfOperands(operands: Operands): string {
  switch (operands) {
    case "files":
      return "'*:file:_files'";
    case "programs":
      return "'*:program:_command_names -e'";
    case "job":
      return "'(-)1:function: ' '(-)2:command:_command_names -e' '*::argument:_normal'";
    default:
      return operands.length === 0 ? "" : quote(`*:argument:(${operands.join(" ")})`);
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
