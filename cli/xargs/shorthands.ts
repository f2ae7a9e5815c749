/**
 * GNU parallel's replacement strings, for commands without templates: `{}` the line, `{.}` without its
 * extension, `{/}` its last component, `{//}` its folder, `{/.}` last component without extension, `{#}` its number
 * (parallel(1), "Replacement strings").
 */

/** A line and its number, from 1. */
interface Numbered {
  readonly seq: number;
  readonly text: string;
}

const PATTERN = /\{(?:\/\/|\/\.|[./#]?)\}/g;

/** Makes the arguments of a job from its line; without any replacement string the line goes to their end. */
export function expandShorthands(args: readonly string[], line: Numbered): string[] {
  const expanded = args.map((arg) =>
    arg.includes("{") ? arg.replaceAll(PATTERN, (mark) => valueOf(mark, line)) : arg
  );
  return hasShorthand(args) ? expanded : [...expanded, line.text];
}

function hasShorthand(args: readonly string[]): boolean {
  return args.some((arg) => arg.search(PATTERN) >= 0);
}

function valueOf(mark: string, { seq, text }: Numbered): string {
  switch (mark) {
    case "{.}":
      return withoutExtension(text);
    case "{/}":
      return lastComponent(text);
    case "{/.}":
      return withoutExtension(lastComponent(text));
    case "{//}":
      return folderOf(text);
    case "{#}":
      return String(seq);
    default:
      return text;
  }
}

function withoutExtension(text: string): string {
  return text.replace(/\.[^/.]*$/, "");
}

function lastComponent(text: string): string {
  return text.slice(text.lastIndexOf("/") + 1);
}

/** As dirname(3) has it. */
function folderOf(text: string): string {
  const path = text.replace(/\/+$/, "");
  const slash = path.lastIndexOf("/");
  if (slash < 0) return path === "" && text !== "" ? "/" : ".";
  return path.slice(0, slash).replace(/\/+$/, "") || "/";
}
