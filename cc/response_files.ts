/**
 * Response files: `@FILE` stands for the arguments in FILE, which may name further ones. GCC's driver reads
 * them by expandargv() and buildargv() of libiberty (argv.c), clang's by TokenizeGNUCommandLine() of LLVM
 * (CommandLine.cpp); all names are relative to the working folder.
 */
import type { Family } from "./options.ts";

/** Arguments with those of response files in their places. */
export interface ExpandedArguments {
  readonly args: readonly string[];
  /** The response files that were read, as the arguments spell them. */
  readonly files: readonly string[];
  /** Whether one is there that cannot be read as text. */
  readonly unreadable: boolean;
}

/** What {@linkcode expandResponseFiles} asks about a file. */
export type ReadResponseFile = (
  path: string,
) => Uint8Array<ArrayBuffer> | "absent" | "unreadable";

/** libiberty's limit of files for one command, against files that name themselves. */
const MAX_FILES = 2000;
/** Largest response file that is read, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Puts the arguments in response files in their places; a file that is not there stays an argument. */
export function expandResponseFiles(
  args: readonly string[],
  family: Family,
  read: ReadResponseFile,
): ExpandedArguments {
  if (!args.some((arg) => arg.startsWith("@") && arg.length > 1)) {
    return { args, files: [], unreadable: false };
  }
  const expanded: string[] = [];
  const files: string[] = [];
  const unread = [...args].reverse();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for (let arg = unread.pop(); arg !== undefined; arg = unread.pop()) {
    if (!arg.startsWith("@") || arg.length === 1) {
      expanded.push(arg);
      continue;
    }
    const bytes = read(arg.slice(1));
    if (bytes === "absent") {
      expanded.push(arg);
      continue;
    }
    if (bytes === "unreadable" || bytes.length > MAX_BYTES || files.length === MAX_FILES) {
      return { args, files, unreadable: true };
    }
    files.push(arg.slice(1));
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      return { args, files, unreadable: true };
    }
    if (text.includes("\0")) return { args, files, unreadable: true };
    for (const word of splitWords(text, family).reverse()) unread.push(word);
  }
  return { args: expanded, files, unreadable: false };
}

/** Splits the text of a response file into arguments. */
export function splitWords(text: string, family: Family): string[] {
  const words: string[] = [];
  const blanks = family === "clang" ? " \t\n\r" : " \t\n\v\f\r";
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? "";
    if (char === "\\") {
      const next = text[++index];
      // At the very end libiberty drops it, and LLVM takes it as it is.
      word = (word ?? "") + (next ?? (family === "clang" ? "\\" : ""));
    } else if (quote !== undefined) {
      if (char === quote) quote = undefined;
      else word = (word ?? "") + char;
    } else if (char === "'" || char === '"') {
      quote = char;
      word ??= "";
    } else if (blanks.includes(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + char;
    }
  }
  if (word !== undefined) words.push(word);
  // LLVM has no empty arguments.
  return family === "clang" ? words.filter((word) => word !== "") : words;
}
