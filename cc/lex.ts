/**
 * Finds the names that a source may include, without evaluating a condition or a macro; what a macro computes is left
 * to the proof.
 *
 * Nearly every header is read by looking for `#` alone: what comes before it tells whether it can be in a comment, in
 * a raw string or in a continued line. Only where it can, the text is walked from its beginning. (3.4 MB of libstdc++
 * take 4 ms the one way and 17 the other.)
 */
import { createConditionals } from "./conditionals.ts";
import type { Needs } from "./conditions.ts";
import { nameHash } from "./defined_names.ts";
import { directiveLines, isContinued, readLine } from "./directive_lines.ts";

/** One name that a source may include. */
export interface Include {
  readonly name: string;
  /** `"x"` rather than `<x>`. */
  readonly quoted: boolean;
  /** The search goes on behind the folder in which the including file was found. */
  readonly next: boolean;
  /** The assembler takes it, which begins in the working folder. */
  readonly assembled?: boolean;
  /** It is the name of a macro, which names the file. */
  readonly computed?: boolean;
  /**
   * Of the macros of each of these lists one must be defined for the directive to be reached, told by their
   * {@linkcode nameHash}; nothing is said of other conditions.
   */
  readonly needs?: readonly (readonly number[])[] | undefined;
}

const DIRECTIVE = /^(?:#|%:|\?\?=)\s*(include|include_next|import|embed|if|elif)\b\s*(.*)$/s;
const HAS_INCLUDE = /__has_(?:include|include_next|embed)\s*\(\s*(?:"([^"]+)"|<([^>]+)>)/g;
const DEFINE = /^(?:#|%:|\?\?=)\s*define\s+(?=\w)/;
const NAME = /^(?:"([^"]+)"|<([^>]+)>)/;
const MACRO = /^[A-Za-z_]\w*/;
/** GNU assembler manual, ".include" and ".incbin", also within a string of C. */
const ASSEMBLED = /\.(?:incbin|include)[ \t]+\\?"([^"\\\n]+)\\?"/g;

/** A line that may be a directive, and what must be defined for it to be reached. */
interface Directive {
  readonly line: string;
  readonly needs?: Include["needs"];
}

/**
 * The names that `text` may include, each once: those of the preprocessor, then those of the assembler.
 *
 * @param define Gets the hash of each macro that the text may define.
 */
export function scan(text: string, define: (hash: number) => void = () => {}): Include[] {
  const found = new Map<string, Include>();
  const add = (include: Include) => {
    const { name, quoted, next, computed, assembled } = include;
    const form = assembled ? "." : computed ? "#" : quoted ? '"' : "<";
    const key = `${form}${next ? 1 : 0}${name}`;
    const before = found.get(key);
    // There are two ways to it.
    if (before?.needs) found.set(key, { ...before, needs: undefined });
    else if (!before) found.set(key, include);
  };
  for (const { line, needs } of plainDirectives(text, define) ?? walkedDirectives(text)) {
    const match = DIRECTIVE.exec(line);
    if (!match) {
      const [start] = DEFINE.exec(line) ?? [];
      if (start !== undefined) define(nameHash(line, start.length));
      continue;
    }
    const [, word, rest = ""] = match;
    if (word === "if" || word === "elif") {
      for (const [, quoted, angled = ""] of rest.matchAll(HAS_INCLUDE)) {
        add({ name: quoted ?? angled, quoted: quoted !== undefined, next: false });
      }
      continue;
    }
    const next = word === "include_next";
    const [, quoted, angled] = NAME.exec(rest) ?? [];
    const name = quoted ?? angled;
    if (name !== undefined) add({ name, quoted: quoted !== undefined, next, needs });
    else {
      const macro = MACRO.exec(rest)?.[0];
      if (macro !== undefined) add({ name: macro, quoted: false, next, computed: true });
    }
  }
  if (text.includes(".inc")) {
    for (const [, name] of text.matchAll(ASSEMBLED)) {
      if (name) add({ name, quoted: true, next: false, assembled: true });
    }
  }
  return [...found.values()];
}

function* walkedDirectives(text: string): Generator<Directive> {
  for (const line of directiveLines(text)) yield { line };
}

/**
 * Directives that may name a file, `undefined` if the text must be walked to tell them. At worst there is one too many:
 * a comment that hides the mark of its own end, as in `/*` followed by `/`, counts as closed. Conditionals are taken
 * from comments, too; where that leaves one open, nothing is told of what is needed.
 */
function plainDirectives(
  text: string,
  define: (hash: number) => void,
): readonly Directive[] | undefined {
  if (text.includes('R"') || text.includes("%:") || text.includes("??=")) return undefined;
  const directives: Directive[] = [];
  const conditionals = createConditionals(text);
  let from = 0;
  let opened = -1;
  let closed = -1;
  for (let at = text.indexOf("#"); at >= 0; at = text.indexOf("#", at + 1)) {
    const word = skipBlanks(text, at + 1);
    const kind = kindOf(text, word);
    if (kind === "other") continue;
    if (kind === "define") {
      define(nameHash(text, skipBlanks(text, word + "define".length)));
      continue;
    }
    let before = at - 1;
    while (isBlank(text.charCodeAt(before))) before--;
    const isFirst = before < 0 || text.charCodeAt(before) === 10;
    if (kind !== "naming") {
      if (isFirst) {
        if (kind === "open") conditionals.open(at);
        else if (kind === "turn") conditionals.turn(at);
        else conditionals.close();
      }
      if (!mayAsk(text, word)) continue;
    }
    if (!isFirst) {
      // Behind the end of a comment; all else but space makes it no directive.
      if (text.startsWith("*/", before - 1)) return undefined;
      continue;
    }
    if (before > 0 && isContinued(text, before)) return undefined;
    const between = text.slice(from, at);
    const open = between.lastIndexOf("/*");
    if (open >= 0) opened = from + open;
    const close = between.lastIndexOf("*/");
    if (close >= 0) closed = from + close;
    if (opened > closed) return undefined;
    const [line, next] = readLine(text, at);
    directives.push({ line, needs: hashed(conditionals.needs()) });
    from = next;
    at = next - 1;
  }
  return conditionals.balanced ? directives : directives.map(({ line }) => ({ line }));
}

function hashed(needs: Needs): Include["needs"] {
  if (needs.length === 0) return undefined;
  return needs.map((names) => names.map((name) => nameHash(name)));
}

/** What follows a `#`: `naming` may name a file. */
type Kind = "define" | "naming" | "open" | "turn" | "close" | "other";

/** What the word at `at` makes of a directive. */
function kindOf(text: string, at: number): Kind {
  const char = text.charCodeAt(at);
  const next = text.charCodeAt(at + 1);
  // A comment or a continued line may stand before or within the word.
  if (char === 47 || char === 92 || next === 92) return "naming";
  if (char === 100) return text.startsWith("define", at) ? "define" : "other";
  if (char === 105) {
    // include and import, then if.
    if (next === 110 || next === 109) return "naming";
    return next === 102 ? "open" : "other";
  }
  if (char !== 101) return "other";
  // embed, elif and else, endif.
  if (next === 109) return "naming";
  return next === 108 ? "turn" : next === 110 ? "close" : "other";
}

/** Whether the conditional at `at` may ask for a file. */
function mayAsk(text: string, at: number): boolean {
  // No ifdef, ifndef, else or endif does.
  const isIf = text.charCodeAt(at) === 105 && !isLetter(text.charCodeAt(at + 2));
  if (!isIf && text.charCodeAt(at + 2) !== 105) return false;
  const end = text.indexOf("\n", at);
  const line = text.slice(at, end < 0 ? text.length : end);
  return line.includes("__has_") || line.includes("\\") || line.includes("/*");
}

function isLetter(char: number): boolean {
  return char >= 97 && char <= 122;
}

/** Space within a line. */
function isBlank(char: number): boolean {
  return char === 32 || char === 9 || (char >= 11 && char <= 13);
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (isBlank(text.charCodeAt(at))) at++;
  return at;
}
