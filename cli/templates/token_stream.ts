/** The words of a template, taken one after the other. */
import { TemplateProblem } from "./error.ts";
import { type Token, type TokenKind, tokensOf } from "./lex.ts";

/** Words that are actions or their parts, and never functions. */
const KEYWORDS: ReadonlySet<string> = new Set(
  ["block", "break", "continue", "define", "else", "end", "if", "range", "template", "with"],
);

/** A place in the words of a template. */
export interface TokenStream {
  /** The next word, which stays; `offset` words further on. */
  peek(offset?: number): Token;
  /** The next word that is no space, which stays. */
  peekWord(): Token;
  /** Takes the next word. */
  next(): Token;
  /** Takes the next word that is no space. */
  nextWord(): Token;
  /** Takes the end of an action, and nothing else. */
  close(context: string): void;
}

/**
 * Starts at a template's first word.
 *
 * @throws {TemplateProblem} If it does not consist of words.
 */
export function streamOf(template: string): TokenStream {
  const tokens = tokensOf(template);
  const end: Token = { kind: "end of template", text: "", index: template.length };
  let at = 0;
  const peek = (offset = 0): Token => tokens[at + offset] ?? end;
  const next = (): Token => tokens[at++] ?? end;
  const afterSpace = (): number => peek().kind === "space" ? 1 : 0;
  const nextWord = (): Token => {
    at += afterSpace();
    return next();
  };
  return {
    peek,
    peekWord: () => peek(afterSpace()),
    next,
    nextWord,
    close(context) {
      const token = nextWord();
      if (token.kind !== "close") throw unexpected(token, context);
    },
  };
}

/** The action or part of one that a word is, undefined if it is none. */
export function keywordOf(token: Token): string | undefined {
  return token.kind === "word" && KEYWORDS.has(token.text) ? token.text : undefined;
}

/** Whether it is this sign. */
export function isSign(token: Token, sign: string): boolean {
  return token.kind === "sign" && token.text === sign;
}

const NAMES: Readonly<Partial<Record<TokenKind, string>>> = {
  "end of template": "the end of the template",
  text: "text",
  space: "a space",
};

/** What a word that has no business there is called. */
export function unexpected(token: Token, context: string): TemplateProblem {
  const what = NAMES[token.kind] ?? JSON.stringify(token.text);
  return new TemplateProblem("parse", token.index, `${what} cannot stand in ${context}`);
}
