/** Reads what stands in an action: pipelines, commands and operands. */
import { nearest } from "../nearest.ts";
import { TemplateProblem } from "./error.ts";
import type { Token } from "./lex.ts";
import { readNumber, readString } from "./literals.ts";
import type { Command, Operand, Pipe } from "./nodes.ts";
import { isSign, keywordOf, type TokenStream, unexpected } from "./token_stream.ts";

/** How deep actions and parentheses may be nested. Go has no limit for the one and 10,000 for the other. */
export const MAX_NESTING = 200;

/** What names mean at a place. */
export interface Scope {
  /** Names of functions. */
  readonly functions: readonly string[];
  /** Names that the data is expected to have, for offers. */
  readonly members: readonly string[];
  /** Variables in force, with their `$`; grows by declarations. */
  readonly variables: string[];
}

/**
 * Reads a pipeline through its end, which is that of an action or a closing parenthesis.
 *
 * @throws {TemplateProblem} If it is not one.
 */
export function parsePipe(
  tokens: TokenStream,
  scope: Scope,
  context: string,
  end: "close" | ")",
  depth = 0,
): Pipe {
  if (depth > MAX_NESTING) throw tooDeep(tokens.peek().index);
  const { index } = tokens.peekWord();
  const { variables, assigns } = readVariables(tokens, scope, context);
  const commands: Command[] = [];
  for (;;) {
    const token = tokens.peekWord();
    if (end === ")" ? isSign(token, ")") : token.kind === "close") {
      tokens.nextWord();
      checkCommands(commands, context, token);
      return { kind: "pipe", index, variables, assigns, commands };
    }
    if (!startsOperand(token)) throw unexpected(token, context);
    commands.push(readCommand(tokens, scope, depth));
  }
}

/** The variables that a pipeline sets: `$x :=`, `$x =`, and in a range `$i, $x :=`. */
function readVariables(
  tokens: TokenStream,
  scope: Scope,
  context: string,
): { variables: string[]; assigns: boolean } {
  const variables: string[] = [];
  while (tokens.peekWord().kind === "variable") {
    const offset = tokens.peek().kind === "space" ? 2 : 1;
    const next = tokens.peek(offset).kind === "space"
      ? tokens.peek(offset + 1)
      : tokens.peek(offset);
    const ends = isSign(next, ":=") || isSign(next, "=");
    if (!ends && !isSign(next, ",")) break;
    const { text } = tokens.nextWord();
    tokens.nextWord();
    variables.push(text);
    scope.variables.push(text);
    if (ends) return { variables, assigns: next.text === "=" };
    if (context !== "range" || variables.length > 1) {
      throw new TemplateProblem("parse", next.index, `${context} sets too many variables`);
    }
    const after = tokens.peekWord();
    if (after.kind !== "variable" && after.kind !== "close" && !isSign(after, ")")) {
      throw new TemplateProblem("parse", after.index, "a range can only set variables");
    }
  }
  return { variables, assigns: false };
}

function checkCommands(commands: readonly Command[], context: string, end: Token): void {
  if (commands.length === 0) {
    throw new TemplateProblem("parse", end.index, `a value is missing in ${context}`);
  }
  for (const { first } of commands.slice(1)) {
    if (first.kind === "literal" || first.kind === "dot" || first.kind === "nil") {
      throw new TemplateProblem(
        "parse",
        first.index,
        'after "|" a function or a method is expected',
      );
    }
  }
}

function startsOperand(token: Token): boolean {
  switch (token.kind) {
    case "string":
    case "char":
    case "number":
    case "field":
    case "variable":
    case "dot":
      return true;
    case "word":
      return keywordOf(token) === undefined;
    default:
      return isSign(token, "(");
  }
}

/** Operands with spaces between them, through a `|` or up to the pipeline's end. */
function readCommand(tokens: TokenStream, scope: Scope, depth: number): Command {
  const first = readOperand(tokens, scope, depth);
  const args: Operand[] = [];
  for (;;) {
    const token = tokens.peek();
    if (token.kind === "close" || isSign(token, ")")) return { first, args };
    tokens.next();
    if (isSign(token, "|")) return { first, args };
    if (token.kind !== "space") throw unexpected(token, "a command");
    if (startsOperand(tokens.peek())) args.push(readOperand(tokens, scope, depth));
  }
}

/** A term, and fields right behind it. */
function readOperand(tokens: TokenStream, scope: Scope, depth: number): Operand {
  const term = readTerm(tokens, scope, depth);
  const { index } = tokens.peek();
  const names: string[] = [];
  while (tokens.peek().kind === "field") names.push(tokens.next().text.slice(1));
  if (names.length === 0) return term;
  switch (term.kind) {
    case "field":
      return { kind: "field", index, names: [...term.names, ...names] };
    case "variable":
      return { ...term, index, names };
    case "literal":
    case "dot":
    case "nil":
      throw new TemplateProblem("parse", index, `what stands before ".${names[0]}" has no fields`);
    default:
      return { kind: "chain", index, base: term, names };
  }
}

function readTerm(tokens: TokenStream, scope: Scope, depth: number): Operand {
  const token = tokens.nextWord();
  const { kind, text, index } = token;
  switch (kind) {
    case "dot":
      return { kind: "dot", index };
    case "field":
      return { kind: "field", index, names: [text.slice(1)] };
    case "variable":
      if (scope.variables.includes(text)) return { kind: "variable", index, name: text, names: [] };
      throw unknown(token, "variable", `"${text}"`, scope.variables);
    case "string":
      return { kind: "literal", index, text, value: literalOf(token, readString) };
    case "char":
    case "number":
      return { kind: "literal", index, text, value: literalOf(token, readNumber) };
    case "word":
      return readWord(token, scope);
    default:
      return parsePipe(tokens, scope, "parentheses", ")", depth + 1);
  }
}

function readWord(token: Token, scope: Scope): Operand {
  const { text, index } = token;
  if (text === "nil") return { kind: "nil", index };
  if (text === "true" || text === "false") {
    return { kind: "literal", index, text, value: text === "true" };
  }
  if (scope.functions.includes(text)) return { kind: "function", index, name: text };
  const members = scope.members.map((name) => `.${name}`);
  if (members.includes(`.${text}`)) {
    throw new TemplateProblem("parse", index, `there is no function "${text}"`, {
      hint: `write .${text}`,
    });
  }
  throw unknown(token, "function", `"${text}"`, [...scope.functions, ...members]);
}

/**
 * What a literal stands for.
 *
 * @throws {TemplateProblem} If it is not one.
 */
export function literalOf<T>(token: Token, read: (text: string) => T): T {
  try {
    return read(token.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new TemplateProblem("parse", token.index, error.message);
  }
}

function unknown(
  token: Token,
  what: string,
  name: string,
  names: readonly string[],
): TemplateProblem {
  // Of names that are equally near, one of the same length is the likeliest.
  const difference = (other: string): number => Math.abs(other.length - token.text.length);
  const candidates = names.filter((other) => other !== "$").toSorted((a, b) =>
    difference(a) - difference(b)
  );
  const near = nearest(token.text, candidates);
  return new TemplateProblem("parse", token.index, `there is no ${what} ${name}`, {
    ...(near !== undefined && { hint: `did you mean ${near}?` }),
  });
}

/** What stands deeper than any person writes. */
export function tooDeep(index: number): TemplateProblem {
  return new TemplateProblem("parse", index, `it is nested deeper than ${MAX_NESTING} levels`);
}
