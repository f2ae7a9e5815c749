/**
 * What must be defined for a condition of the preprocessor to hold. Nothing is evaluated: a macro that something defines
 * may have any value. But one that nothing defines is 0 (ISO C 6.10.1), and so most of what headers offer for other
 * systems and other modes is never reached. Whatever is not understood needs nothing.
 */

/** Of the macros of each list at least one must be defined. An empty list stands for what never holds. */
export type Needs = readonly (readonly string[])[];

/** Nothing that must be defined. */
export const NOTHING: Needs = [];
const NEVER: Needs = [[]];

/**
 * Names that a compiler defines by itself, beside those that begin with `__`: `gcc -dM -E` and `clang -dM -E` with
 * their options for languages, threads, OpenMP and machines. What is missing here costs one round: the proof finds it.
 */
const PREDEFINED = new Set([
  ...["linux", "unix", "i386", "mips", "sparc", "sun", "PPC", "PPC64"],
  ...["_GNU_SOURCE", "_FORTIFY_SOURCE", "_REENTRANT", "_OPENMP", "_OPENACC", "_STDC_PREDEF_H"],
  ...["_LP64", "_ILP32", "_BIG_ENDIAN", "_LITTLE_ENDIAN", "_SOFT_FLOAT", "_SOFT_DOUBLE"],
  ...["_CALL_LINUX", "_CALL_ELF", "_CALL_SYSV", "_MSC_VER", "_MSC_EXTENSIONS", "_WIN32", "_WIN64"],
  // Words of C++: ISO C++ [cpp.cond], [lex.digraph].
  ...["true", "not", "compl"],
]);

/** What the line of a conditional needs; `#else` needs what its `#if` line, `opened`, rules out. */
export function needsOf(line: string, opened: string): Needs {
  const [, word, rest = ""] = DIRECTIVE.exec(line) ?? [];
  switch (word) {
    case "ifdef":
    case "elifdef":
      return oneOf(NAME.exec(rest)?.[0]);
    case "if":
    case "elif":
      return conditionNeeds(rest);
    case "else":
      return oneOf(NEGATED.exec(opened)?.[1]);
  }
  return NOTHING;
}

const DIRECTIVE = /^#\s*(ifdef|ifndef|if|elifdef|elifndef|elif|else)\b\s*(.*)$/s;
const NAME = /^[A-Za-z_$]\w*/;
const NEGATED =
  /^#\s*(?:ifndef\s+|if\s*!\s*(?:defined\s*\(?\s*)?)([A-Za-z_$]\w*)\s*\)?\s*(?:\/\/.*|\/\*.*)?$/s;
const COMMENT = /\/\/.*|\/\*[^]*?\*\//gs;
const TOKEN = /[A-Za-z_$][\w$]*|\d[\w.']*|&&|\|\||[<>!=]=|<<|>>|\S/g;
/** What only compares a macro of the compiler, as nearly half do. */
const RESERVED = /^__\w+\s*(?:[<>=!]+\s*\w+\s*)?$/;

/** What an expression needs. */
export function conditionNeeds(expression: string): Needs {
  if (RESERVED.test(expression)) return NOTHING;
  const plain = expression.includes("/") ? expression.replaceAll(COMMENT, " ") : expression;
  const parser = new Parser(plain.match(TOKEN) ?? []);
  const needs = parser.alternatives();
  return parser.isAtEnd ? needs : NOTHING;
}

/** Reads an expression by descent; what it does not know it leaves unread. */
class Parser {
  #at = 0;
  readonly #tokens: readonly string[];

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** `a || b`: of each side, one list is needed, so one of both. */
  alternatives(): Needs {
    let needs = this.#terms();
    while (this.#take("||")) {
      const [first] = needs;
      const [second] = this.#terms();
      needs = first && second ? [[...first, ...second]] : NOTHING;
    }
    return needs;
  }

  #terms(): Needs {
    const needs = [...this.#comparison()];
    while (this.#take("&&")) needs.push(...this.#comparison());
    return needs;
  }

  #comparison(): Needs {
    const needs = this.#operand();
    const operator = this.#peek();
    if (operator === undefined || operator === "&&" || operator === "||" || operator === ")") {
      return needs;
    }
    // A macro that is not defined, compared with a number and nothing more.
    const name = this.#tokens[this.#at - 1] ?? "";
    const number = this.#tokens[this.#at + 1] ?? "";
    const end = this.#at + 2;
    this.#skip();
    const isSimple = this.#at === end && NAME.test(name) && /^\d+[uUlL]*$/.test(number);
    const holds = COMPARE.get(operator)?.(0, Number.parseInt(number, 10));
    return isSimple && holds === false ? needs : NOTHING;
  }

  /** Skips to what `&&`, `||`, `?` or a bracket ends. */
  #skip(): void {
    for (let depth = 0; !this.isAtEnd; this.#at++) {
      const token = this.#peek() ?? "";
      if (depth === 0 && ["&&", "||", "?", ")"].includes(token)) return;
      if (token === "(") depth++;
      if (token === ")") depth--;
    }
  }

  #operand(): Needs {
    if (this.#take("!")) {
      this.#operand();
      return NOTHING;
    }
    if (this.#take("(")) {
      const needs = this.alternatives();
      return this.#take(")") ? needs : NOTHING;
    }
    const token = this.#peek();
    if (token === undefined) return NOTHING;
    if (token === "0") {
      this.#at++;
      return NEVER;
    }
    if (/^\d/.test(token)) {
      this.#at++;
      return NOTHING;
    }
    if (!NAME.test(token)) return NOTHING;
    this.#at++;
    if (token !== "defined") {
      if (this.#peek() === "(") this.#skipArguments();
      return oneOf(token);
    }
    const bracket = this.#take("(");
    const name = this.#peek();
    this.#at++;
    if (bracket && !this.#take(")")) return NOTHING;
    return oneOf(name);
  }

  #skipArguments(): void {
    for (let depth = 0; !this.isAtEnd;) {
      const token = this.#tokens[this.#at++];
      if (token === "(") depth++;
      if (token === ")" && --depth === 0) return;
    }
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }
}

const COMPARE = new Map<string, (left: number, right: number) => boolean>([
  ["==", (left, right) => left === right],
  ["!=", (left, right) => left !== right],
  ["<", (left, right) => left < right],
  [">", (left, right) => left > right],
  ["<=", (left, right) => left <= right],
  [">=", (left, right) => left >= right],
]);

function oneOf(name: string | undefined): Needs {
  if (name === undefined || !NAME.test(name)) return NOTHING;
  return name.startsWith("__") || PREDEFINED.has(name) ? NOTHING : [[name]];
}
