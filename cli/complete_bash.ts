/** The completion script for bash 4 or later (Bash Reference Manual, "Programmable Completion"). */
import { type CompletedLine, type Spelling, spellingsOf } from "./completed.ts";
import type { Operands } from "./command.ts";
import type { Flag } from "./flags.ts";

/**
 * bash takes words apart at `=` and `:`, so that `-x=v` is three of them. The first operand of a job is
 * its function, the next its program; what follows is the program's own.
 */
const FUNCTIONS = String.raw`
_llama() {
  local cur=\${COMP_WORDS[COMP_CWORD]} word i command="" takes="" ended="" dashes=- count=0
  local switches files folders others operands
  COMPREPLY=()
  _llama_table ""
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == [=:] ]]; then
      [[ $takes ]] || takes=other
    elif [[ $takes ]]; then
      takes=""
    elif [[ -z $ended && $word == -- ]]; then
      ended=1
    elif [[ -z $ended && $word == -?* ]]; then
      _llama_takes "$word"
    elif [[ -z $command ]]; then
      command=$word
      _llama_table "$command"
    else
      count=$((count + 1))
      [[ $operands == job ]] && ended=1
    fi
  done
  if [[ $cur == [=:] ]]; then
    [[ $takes ]] || takes=other
    cur=""
  fi
  case $takes in
    file) _llama_paths -f "$cur"; return ;;
    folder) _llama_paths -d "$cur"; return ;;
    other) return ;;
  esac
  if [[ -z $ended && $cur == -* ]]; then
    [[ $cur == --* ]] && dashes=--
    mapfile -t COMPREPLY < <(compgen -P "$dashes" -W "$switches $files $folders $others" -- "\${cur#"$dashes"}")
    return
  fi
  if [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands_of_llama" -- "$cur")
    return
  fi
  case $operands in
    files) _llama_paths -f "$cur" ;;
    programs) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
    job)
      if ((count == 1)) && [[ $cur != */* ]]; then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      elif ((count > 0)); then
        _llama_paths -f "$cur"
      fi ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$operands" -- "$cur") ;;
  esac
}

_llama_paths() {
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
  compopt -o filenames 2>/dev/null
}

_llama_takes() {
  local name=\${1#-}
  name=\${name#-}
  case " $files " in *" $name "*) takes=file ;; esac
  case " $folders " in *" $name "*) takes=folder ;; esac
  case " $others " in *" $name "*) takes=other ;; esac
}

complete -F _llama llama
`.replaceAll("\\${", "${").trimStart();

/** The script. */
export function bashScript({ commands, globals, leading }: CompletedLine): string {
  const cases = commands.map(({ name, flags, operands }) =>
    `    ${name}) ${assignments([...globals, ...flags], operands)} ;;\n`
  );
  return `# Completes llama's command line; made by "llama completions bash".

_llama_table() {
  case $1 in
    "") ${assignments(leading, [])} ;;
${cases.join("")}    *) switches="" files="" folders="" others="" operands="" ;;
  esac
}

${FUNCTIONS.replace("$commands_of_llama", commands.map(({ name }) => name).join(" "))}`;
}

function assignments(flags: readonly Flag[], operands: Operands): string {
  const spellings = spellingsOf(flags);
  const named = (value: Spelling["value"]) =>
    `"${
      spellings.filter((spelling) => spelling.value === value).map(({ name }) => name).join(" ")
    }"`;
  const words = typeof operands === "string" ? operands : operands.join(" ");
  return `switches=${named("none")} files=${named("file")} folders=${named("folder")} ` +
    `others=${named("other")} operands="${words}"`;
}
