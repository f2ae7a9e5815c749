/**
 * Files and folders that interpreters and the like need beside their libraries, as they tell themselves when they
 * are asked. The answer depends on nothing but the program, so that a job is the same each time, and names whole
 * folders: what a program opens at a start is only the beginning of what its scripts import.
 */
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import { cleanPath } from "../job/path.ts";

/** A program that tells. */
interface Question {
  /** Its file's name. */
  readonly name: RegExp;
  /** A library that it is linked with, where other programs may have such a name. */
  readonly library?: RegExp;
  /** What makes it tell, and do nothing else. */
  readonly args: readonly string[];
  /** Takes paths from what it printed. */
  readonly paths: (answer: string) => readonly string[];
}

/**
 * The standard library, and in a virtual environment all that is installed in it; installed elsewhere are
 * gigabytes. Python Library Reference, "sysconfig" and "venv".
 */
const PYTHON = `
import sys, sysconfig
paths = sysconfig.get_paths()
names = ["stdlib", "platstdlib"]
if sys.prefix != sys.base_prefix:
    names += ["purelib", "platlib"]
    print(sys.prefix + "/pyvenv.cfg")
for name in names:
    print(paths[name])
`;

const linesOf = (answer: string) => answer.split("\n");

const QUESTIONS: readonly Question[] = [
  { name: /^python(?:3(?:\.\d+)?)?$/, args: ["-I", "-c", PYTHON], paths: linesOf },
  // perlvar, "@INC"
  { name: /^perl(?:5[\d.]*)?$/, args: ["-e", 'print join "\\n", @INC'], paths: linesOf },
  {
    // ImageMagick, "Resources": modules, settings and what both versions share.
    name:
      /^(?:animate|compare|composite|conjure|convert|display|identify|import|magick|mogrify|montage|stream)\b/,
    library: /\/libMagickCore-[^/]*$/,
    args: ["-list", "configure"],
    paths: (answer) =>
      Array.from(
        answer.matchAll(/^(?:CODER|CONFIGURE|FILTER|SHARE|SHAREARCH)_PATH +(\S.*)$/gm),
        ([, path = ""]) => path,
      ),
  },
  {
    // file(1), "FILES"
    name: /^file$/,
    library: /\/libmagic\.so[^/]*$/,
    args: ["--version"],
    paths: (answer) =>
      (/^magic file from (.*)$/m.exec(answer)?.[1] ?? "").split(":").flatMap((path) => [
        path,
        `${path}.mgc`,
      ]),
  },
];

/** What `program`, linked with `libraries`, is known to need; nothing of a program that cannot be asked. */
export async function dataOf(
  program: string,
  libraries: readonly string[],
  path: string,
  { files, processes }: { readonly files: FileSystem; readonly processes: ProcessRunner },
): Promise<readonly string[]> {
  const base = program.slice(program.lastIndexOf("/") + 1);
  const question = QUESTIONS.find(({ name, library }) =>
    name.test(base) && (library === undefined || libraries.some((one) => library.test(one)))
  );
  if (question === undefined) return [];
  const { code, stdout } = await processes.run(program, question.args, {
    cwd: "/",
    env: { LC_ALL: "C", PATH: path },
  });
  if (code !== 0) return [];
  const paths = question.paths(stdout).filter((one) => one.startsWith("/")).map(cleanPath);
  return [...new Set(paths)].filter((one) => one !== "/" && files.stat(one) !== undefined);
}
