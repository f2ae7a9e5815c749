/** Words of a template: text between actions, and what stands within `{{` and `}}`. */
import { TemplateProblem } from "./error.ts";

/** Kinds of words. A `sign` is one of `= := | ( ) ,` or another lone character, told by its text. */
export type TokenKind =
  | "text"
  | "open"
  | "close"
  | "space"
  | "sign"
  | "string"
  | "char"
  | "number"
  | "field"
  | "variable"
  | "dot"
  | "word"
  | "end of template";

/** One word. */
export interface Token {
  readonly kind: TokenKind;
  /** The word as it is written. */
  readonly text: string;
  /** Index of its first character. */
  readonly index: number;
}

const SPACE = /[ \t\r\n]+/y;
const IDENTIFIER = /[\p{L}\p{Nd}_]+/yu;
const FIELD = /\.[\p{L}\p{Nd}_]+/yu;
const VARIABLE = /\$[\p{L}\p{Nd}_]*/yu;
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]*(?:\.[\da-fA-F_]*)?(?:[pP][+-]?[\d_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?[\d_]*)?)i?/y;
const QUOTED = { '"': /"(?:\\[^\n]|[^"\\\n])*"/y, "'": /'(?:\\[^\n]|[^'\\\n])*'/y } as const;
const RAW = /`[^`]*`/y;
const WORD_CHARACTER = /[\p{L}\p{Nd}_]/yu;
const NUMBER_START = /[+-]|\.?\d/y;
/** What may follow a name without a space. */
const NAME_END = /$|[ \t\r\n.,|:)(]|\}\}/y;
const CLOSE = /(?:[ \t\r\n]-)?\}\}/y;
const LEFT_TRIM = /-[ \t\r\n]/y;

/**
 * The words of a template; the last is its end.
 *
 * @throws {TemplateProblem} For an action or a literal that does not end, and for what no word begins with.
 */
export function tokensOf(template: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < template.length;) {
    const open = template.indexOf("{{", at);
    const trimsLeft = open !== -1 && matchAt(LEFT_TRIM, template, open + 2) !== undefined;
    let text = template.slice(at, open === -1 ? undefined : open);
    if (trimsLeft) text = text.replace(/[ \t\r\n]+$/, "");
    if (text !== "") tokens.push({ kind: "text", text, index: at });
    if (open === -1) break;
    const inside = open + (trimsLeft ? 4 : 2);
    if (template.startsWith("/*", inside)) {
      at = commentEnd(template, open, inside);
    } else {
      tokens.push({ kind: "open", text: "{{", index: open });
      at = readAction(template, open, inside, tokens);
    }
  }
  tokens.push({ kind: "end of template", text: "", index: template.length });
  return tokens;
}

function commentEnd(template: string, open: number, inside: number): number {
  const end = template.indexOf("*/", inside + 2);
  if (end === -1) throw problem(open, "the comment does not end", 'close it with "*/}}"');
  const close = matchAt(CLOSE, template, end + 2);
  if (close === undefined) {
    throw problem(end, 'the comment does not end with "*/}}" or "*/ -}}"');
  }
  return afterClose(template, end + 2, close);
}

/** Index after the closing braces and, with a trim marker, the white space behind them. */
function afterClose(template: string, at: number, close: string): number {
  const end = at + close.length;
  return close.length === 2 ? end : end + (matchAt(SPACE, template, end)?.length ?? 0);
}

/** Reads the words of an action and gives the index after it. */
function readAction(template: string, open: number, inside: number, tokens: Token[]): number {
  let depth = 0;
  for (let at = inside;;) {
    const close = matchAt(CLOSE, template, at);
    if (close !== undefined) {
      if (depth > 0) throw problem(at, 'a "(" is not closed');
      tokens.push({ kind: "close", text: "}}", index: at });
      return afterClose(template, at, close);
    }
    if (at >= template.length) {
      throw problem(open, "the action that starts here does not end", 'close it with "}}"');
    }
    const token = readWord(template, at);
    if (token.text === "(") depth++;
    if (token.text === ")" && --depth < 0) throw problem(at, 'a ")" has no "("');
    tokens.push(token);
    at += token.text.length;
  }
}

function readWord(template: string, index: number): Token {
  const first = template[index] ?? "";
  const space = matchAt(SPACE, template, index);
  if (space !== undefined) {
    // The last space of a run belongs to the trim marker that follows it.
    const trims = template.startsWith("-}}", index + space.length);
    return { kind: "space", text: trims ? space.slice(0, -1) : space, index };
  }
  if (first === "=" || first === "|" || first === "(" || first === ")") {
    return { kind: "sign", text: first, index };
  }
  if (first === ":") {
    if (template[index + 1] === "=") return { kind: "sign", text: ":=", index };
    throw problem(index, 'after ":" an "=" is expected');
  }
  if (first === '"' || first === "'") {
    const text = matchAt(QUOTED[first], template, index);
    if (text === undefined) throw problem(index, `the ${first} that starts here is not closed`);
    return { kind: first === '"' ? "string" : "char", text, index };
  }
  if (first === "`") {
    const text = matchAt(RAW, template, index);
    if (text === undefined) throw problem(index, 'the "`" that starts here is not closed');
    return { kind: "string", text, index };
  }
  if (first === "$") return name("variable", VARIABLE, template, index);
  if (matchAt(NUMBER_START, template, index) !== undefined) return number(template, index);
  if (first === ".") {
    if (matchAt(NAME_END, template, index + 1) !== undefined) {
      return { kind: "dot", text: ".", index };
    }
    return name("field", FIELD, template, index);
  }
  if (matchAt(IDENTIFIER, template, index) !== undefined) {
    return name("word", IDENTIFIER, template, index);
  }
  if (/[!-~]/.test(first)) return { kind: "sign", text: first, index };
  throw problem(index, `the character ${characterAt(template, index)} has no meaning here`);
}

function name(kind: TokenKind, pattern: RegExp, template: string, index: number): Token {
  const text = matchAt(pattern, template, index) ?? (template[index] ?? "");
  const end = index + text.length;
  if (matchAt(NAME_END, template, end) === undefined) {
    const hint = template[end] === "}" ? 'close it with "}}"' : undefined;
    throw problem(end, `the character ${characterAt(template, end)} cannot follow "${text}"`, hint);
  }
  return { kind, text, index };
}

function number(template: string, index: number): Token {
  const text = matchAt(NUMBER, template, index) ?? "";
  const end = index + text.length;
  const next = matchAt(WORD_CHARACTER, template, end);
  if (next !== undefined) throw problem(index, `"${text}${next}" is not a number`);
  if (text.endsWith("i") || /[+-]/.test(template[end] ?? "")) {
    throw problem(index, "complex numbers are not supported here");
  }
  return { kind: "number", text, index };
}

function characterAt(template: string, index: number): string {
  return JSON.stringify(String.fromCodePoint(template.codePointAt(index) ?? 0));
}

function matchAt(pattern: RegExp, text: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0];
}

function problem(index: number, message: string, hint?: string): TemplateProblem {
  return new TemplateProblem("parse", index, message, { ...(hint !== undefined && { hint }) });
}
