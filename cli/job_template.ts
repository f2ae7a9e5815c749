/**
 * The arguments of a job's command as Go templates: `{{.I F}}` and the like mark files, and yield the paths
 * that those have in the job.
 */
import type { FileInput } from "../job/manifest.ts";
import { type FileArg, parseFileArg } from "./file_args.ts";
import { compileArguments } from "./templates/arguments.ts";
import type { Data } from "./templates/values.ts";

/** A command with the files that its templates mark. */
export interface ExpandedJob {
  readonly args: readonly string[];
  readonly inputs: readonly FileArg[];
  readonly outputs: readonly FileArg[];
  /** Files that templates wrote themselves. */
  readonly texts: readonly FileInput[];
}

const METHODS = ["I", "Input", "O", "Output", "IO", "InputOutput", "AsFile"];

/**
 * Compiles the arguments; the function that is returned expands them for one job, given its fields, such as
 * `Line`, and may be called often.
 *
 * @throws {TemplateError} If a template is malformed; the function, if one fails.
 */
export function compileJob(
  templates: readonly string[],
  fieldNames: readonly string[],
  cwd: string,
): (fields: Readonly<Record<string, Data>>) => ExpandedJob {
  const expand = compileArguments(templates, [...fieldNames, ...METHODS]);
  return (fields) => {
    const inputs: FileArg[] = [];
    const outputs: FileArg[] = [];
    const texts: FileInput[] = [];
    // The name of a file is taken as it is: a colon in it divides nothing.
    const mark = (name: string, ...lists: FileArg[][]): string => {
      const file = parseFileArg(name.replaceAll(":", "\\:"), cwd);
      for (const list of lists) {
        if (!list.some(({ remote }) => remote === file.remote)) list.push(file);
      }
      return file.remote === "" ? "." : file.remote;
    };
    const asFile = (text: string): string => {
      const path = `.llama-text-${texts.length + 1}`;
      const content = { bytes: new TextEncoder().encode(`${text}\n`) };
      texts.push({ kind: "file", path, mode: 0o644, content });
      return path;
    };
    const [I, O, IO] = [
      (name: string) => mark(name, inputs),
      (name: string) => mark(name, outputs),
      (name: string) => mark(name, inputs, outputs),
    ];
    const methods = { I, Input: I, O, Output: O, IO, InputOutput: IO, AsFile: asFile };
    return { args: expand({ fields, methods }), inputs, outputs, texts };
  };
}
