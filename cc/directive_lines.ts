/**
 * The lines of a text that may be directives, told apart as in C++ translation phases 2 to 4 (ISO C++ [lex.phases]).
 * The text is walked over line starts, not over tokens: a directive begins a line, so the only states that must be
 * carried from line to line are a block comment and a raw string.
 */

/** Lines that may be directives: comments removed, continued lines joined, leading space cut. */
export function* directiveLines(text: string): Generator<string> {
  let position = 0;
  const end = text.length;
  while (position < end) {
    position = skipBlank(text, position);
    if (position >= end) return;
    const char = text[position];
    const directive = char === "#" || text.startsWith("%:", position) ||
      text.startsWith("??=", position);
    if (directive) {
      const [line, next] = readLine(text, position);
      yield line;
      position = next;
    } else {
      position = skipLine(text, position);
    }
  }
}

/** Skips space, line ends, continuations and block comments in front of a line's first token. */
function skipBlank(text: string, start: number): number {
  let position = start;
  for (;;) {
    const char = text.charCodeAt(position);
    if (char === 32 || (char >= 9 && char <= 13)) position++;
    else if (char === 92 && isLineEnd(text, position + 1)) position++;
    else if (char === 47 && text.charCodeAt(position + 1) === 42) {
      const close = text.indexOf("*/", position + 2);
      if (close < 0) return text.length;
      position = close + 2;
    } else return position;
  }
}

function isLineEnd(text: string, position: number): boolean {
  const char = text.charCodeAt(position);
  return char === 10 || (char === 13 && text.charCodeAt(position + 1) === 10);
}

/** Skips to behind the end of a line that is no directive; strings and comments may hide the end. */
function skipLine(text: string, start: number): number {
  INTERESTING.lastIndex = start;
  for (;;) {
    const match = INTERESTING.exec(text);
    if (!match) return text.length;
    const at = match.index;
    switch (match[0][0]) {
      case "\n":
        if (!isContinued(text, at)) return at + 1;
        break;
      case "/":
        if (text[at + 1] === "*") {
          const close = text.indexOf("*/", at + 2);
          if (close < 0) return text.length;
          INTERESTING.lastIndex = close + 2;
        } else {
          return endOfLogicalLine(text, at);
        }
        break;
      case "R": {
        const close = endOfRawString(text, at);
        if (close !== undefined) INTERESTING.lastIndex = close;
        break;
      }
      default:
        INTERESTING.lastIndex = endOfString(text, at);
    }
  }
}

const INTERESTING = /\n|\/[*/]|R"|["']/g;

export function isContinued(text: string, lineEnd: number): boolean {
  const before = text.charCodeAt(lineEnd - 1);
  return before === 92 || (before === 13 && text.charCodeAt(lineEnd - 2) === 92);
}

function endOfLogicalLine(text: string, start: number): number {
  let position = start;
  for (;;) {
    const end = text.indexOf("\n", position);
    if (end < 0) return text.length;
    if (!isContinued(text, end)) return end + 1;
    position = end + 1;
  }
}

/** The position behind a string or character constant, or the line's end if it is not closed. */
function endOfString(text: string, start: number): number {
  const quote = text[start];
  for (let position = start + 1; position < text.length; position++) {
    const char = text[position];
    if (char === "\\") position++;
    else if (char === quote) return position + 1;
    else if (char === "\n") return position;
  }
  return text.length;
}

/** The position behind the raw string whose `R` is at `start`, if it is one. */
function endOfRawString(text: string, start: number): number | undefined {
  const before = text[start - 1];
  if (
    before !== undefined && /\w/.test(before) &&
    !/(?:^|\W)(?:u8|u|U|L)$/.test(text.slice(Math.max(0, start - 3), start))
  ) {
    return undefined;
  }
  const open = text.indexOf("(", start + 2);
  if (open < 0 || open - start - 2 > 16) return undefined;
  const delimiter = text.slice(start + 2, open);
  if (/[\s\\)"]/.test(delimiter)) return undefined;
  const close = text.indexOf(`)${delimiter}"`, open);
  return close < 0 ? text.length : close + delimiter.length + 2;
}

/** A directive with comments replaced by a space and continued lines joined, and where it ends. */
export function readLine(text: string, start: number): [string, number] {
  const newline = text.indexOf("\n", start);
  const plain = text.slice(start, newline < 0 ? text.length : newline);
  if (!plain.includes("\\") && !plain.includes("/*")) {
    return [plain.trim(), newline < 0 ? text.length : newline + 1];
  }
  const end = endOfDirective(text, start);
  let line = text.slice(start, end);
  if (line.includes("\\")) line = line.replaceAll(/\\\r?\n/g, "");
  if (line.includes("/*")) line = line.replaceAll(/\/\*[^]*?\*\//g, " ");
  return [line.trim(), end];
}

/** A block comment that begins in a directive carries it on to the line where the comment ends. */
function endOfDirective(text: string, start: number): number {
  let position = start;
  for (;;) {
    const end = endOfLogicalLine(text, position);
    const comment = unclosedComment(text.slice(start, end));
    if (comment === undefined) return end;
    const close = text.indexOf("*/", start + comment + 2);
    if (close < 0) return text.length;
    position = close + 2;
  }
}

function unclosedComment(line: string): number | undefined {
  let position = 0;
  for (;;) {
    const match = /\/\/|\/\*|["']/.exec(line.slice(position));
    if (!match) return undefined;
    const at = position + match.index;
    if (match[0] === "//") return undefined;
    if (match[0] === "/*") {
      const close = line.indexOf("*/", at + 2);
      if (close < 0) return at;
      position = close + 2;
    } else {
      position = endOfString(line, at);
    }
  }
}
