/** Reads a template into its tree: texts, actions and what they hold. */
import { TemplateProblem } from "./error.ts";
import type { Token } from "./lex.ts";
import { readString } from "./literals.ts";
import type { Branch, Pipe, Statement, TemplateCall, Tree } from "./nodes.ts";
import { literalOf, MAX_NESTING, parsePipe, type Scope, tooDeep } from "./parse_pipe.ts";
import { keywordOf, streamOf, type TokenStream, unexpected } from "./token_stream.ts";

/** Whose body is being read: what names in it mean, and which control it is of. */
interface Context extends Scope {
  readonly tokens: TokenStream;
  readonly defined: Map<string, readonly Statement[]>;
  /** Number of ranges around. */
  readonly ranges: number;
  /** Number of controls around. */
  readonly depth: number;
}

/** A body, and the word that ended it: an `else`, an `end`, or the end of the template. */
interface Body {
  readonly statements: Statement[];
  readonly ended: Token;
}

/**
 * Reads a template. `functions` are the names that may be called, `members` those that the data is
 * expected to have, for offers in messages only.
 *
 * @throws {TemplateProblem} If it is not one, of the kind `parse`.
 */
export function parseTemplate(
  template: string,
  functions: readonly string[],
  members: readonly string[],
): Tree {
  const defined = new Map<string, readonly Statement[]>();
  const tokens = streamOf(template);
  const names = { functions, members };
  const context = { tokens, defined, ...names, variables: ["$"], ranges: 0, depth: 0 };
  const { statements, ended } = readBody(context, true);
  if (ended.kind !== "end of template") {
    throw new TemplateProblem("parse", ended.index, `the {{${ended.text}}} belongs to no action`);
  }
  return { body: statements, defined };
}

function readBody(context: Context, isTop = false): Body {
  if (context.depth > MAX_NESTING) throw tooDeep(context.tokens.peek().index);
  const statements: Statement[] = [];
  for (;;) {
    const token = context.tokens.next();
    if (token.kind === "text") {
      statements.push({ kind: "text", text: token.text });
    } else if (token.kind === "open") {
      const word = context.tokens.peekWord();
      const keyword = keywordOf(word);
      if (keyword === "else" || keyword === "end") {
        context.tokens.nextWord();
        return { statements, ended: word };
      }
      if (keyword === "define" && isTop) readDefinition(context);
      else statements.push(readAction(context, word, keyword));
    } else {
      return { statements, ended: token };
    }
  }
}

function readAction(context: Context, word: Token, keyword: string | undefined): Statement {
  const { tokens } = context;
  switch (keyword) {
    case undefined:
      return { kind: "action", pipe: parsePipe(tokens, context, "an action", "close") };
    case "if":
    case "with":
    case "range":
      tokens.nextWord();
      return readBranch(context, keyword, word);
    case "break":
    case "continue":
      tokens.nextWord();
      tokens.close(`{{${keyword}}}`);
      if (context.ranges > 0) return { kind: keyword };
      throw new TemplateProblem("parse", word.index, `a {{${keyword}}} can only stand in a range`);
    case "template":
      tokens.nextWord();
      return readTemplateCall(context);
    case "block":
      tokens.nextWord();
      return readBlock(context, word);
    default:
      throw new TemplateProblem("parse", word.index, "a {{define}} cannot stand in an action");
  }
}

/** What follows `if`, `with` or `range`, through its `end`. */
function readBranch(outer: Context, kind: Branch["kind"], opened: Token): Branch {
  const context = { ...outer, variables: [...outer.variables], depth: outer.depth + 1 };
  const { tokens } = context;
  const pipe = parsePipe(tokens, context, kind, "close");
  const ranges = context.ranges + (kind === "range" ? 1 : 0);
  const { statements: body, ended } = readBody({ ...context, ranges });
  if (ended.text === "end") {
    tokens.close("{{end}}");
    return { kind, pipe, body, otherwise: undefined };
  }
  if (ended.text !== "else") throw notClosed(opened);
  const next = tokens.peekWord();
  if (kind !== "range" && keywordOf(next) === kind) {
    tokens.nextWord();
    return { kind, pipe, body, otherwise: [readBranch(context, kind, opened)] };
  }
  tokens.close("{{else}}");
  const rest = readBody(context);
  if (rest.ended.text === "else") {
    throw new TemplateProblem(
      "parse",
      rest.ended.index,
      `the {{${kind}}} has its {{else}} already`,
    );
  }
  if (rest.ended.text !== "end") throw notClosed(opened);
  tokens.close("{{end}}");
  return { kind, pipe, body, otherwise: rest.statements };
}

function readTemplateCall(context: Context): TemplateCall {
  const { tokens } = context;
  const word = tokens.nextWord();
  const name = nameOf(word, "{{template}}");
  let pipe: Pipe | undefined;
  if (tokens.peekWord().kind === "close") tokens.nextWord();
  else pipe = parsePipe(tokens, context, "{{template}}", "close");
  return { kind: "template", index: word.index, name, pipe };
}

function readBlock(context: Context, opened: Token): TemplateCall {
  const word = context.tokens.nextWord();
  const name = nameOf(word, "{{block}}");
  const pipe = parsePipe(context.tokens, context, "{{block}}", "close");
  define(context, name, readOwnBody(context, opened), word);
  return { kind: "template", index: word.index, name, pipe };
}

function readDefinition(context: Context): void {
  const opened = context.tokens.nextWord();
  const word = context.tokens.nextWord();
  const name = nameOf(word, "{{define}}");
  context.tokens.close("{{define}}");
  define(context, name, readOwnBody(context, opened), word);
}

/** The body of a template of its own, which sees no variable and no range from outside. */
function readOwnBody(context: Context, opened: Token): readonly Statement[] {
  const own = { ...context, variables: ["$"], ranges: 0, depth: context.depth + 1 };
  const { statements, ended } = readBody(own);
  if (ended.text === "else") throw unexpected(ended, `{{${opened.text}}}`);
  if (ended.text !== "end") throw notClosed(opened);
  context.tokens.close("{{end}}");
  return statements;
}

/** A later definition may stand in for an empty one only. */
function define(context: Context, name: string, body: readonly Statement[], word: Token): void {
  const before = context.defined.get(name);
  if (before === undefined || isEmpty(before)) {
    context.defined.set(name, body);
  } else if (!isEmpty(body)) {
    throw new TemplateProblem("parse", word.index, `the template ${word.text} is defined twice`);
  }
}

function isEmpty(statements: readonly Statement[]): boolean {
  return statements.every((statement) => statement.kind === "text" && statement.text.trim() === "");
}

function nameOf(token: Token, context: string): string {
  if (token.kind !== "string") throw unexpected(token, `${context}, which wants a name in quotes`);
  return literalOf(token, readString);
}

function notClosed(opened: Token): TemplateProblem {
  return new TemplateProblem("parse", opened.index, `the {{${opened.text}}} has no {{end}}`);
}
