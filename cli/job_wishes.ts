/** Outputs that `-o` and templates name: what a job may give back, where that goes, and what it did not give. */
import { resolve } from "@std/path/posix";
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { isWanted, type Wanted } from "../job/spec.ts";
import type { FileArg } from "./file_args.ts";

/** What a job with these outputs wants: each path, and all below it where it is a folder. */
export function wantedOf(outputs: readonly FileArg[]): Wanted[] {
  return outputs.map(({ remote }) => ({ match: "tree", path: remote }));
}

/**
 * An output that was an input as well and did not change is not in a job's answer. This adds it, so
 * that it still arrives under its new name.
 */
export function withUnchanged(
  outputs: readonly Input[],
  inputs: readonly Input[],
  wishes: readonly FileArg[],
): Input[] {
  const given = new Set(outputs.map(({ path }) => path));
  const wanted = wantedOf(wishes);
  return [
    ...outputs,
    ...inputs.filter(({ path }) => !given.has(path) && isWanted(path, wanted)),
  ];
}

/** Whether the unchanged input `path` is wanted just where it came from, so that it stays untouched. */
export function isInPlace(
  path: string,
  sources: readonly FileArg[],
  wishes: readonly FileArg[],
): boolean {
  const localOf = (args: readonly FileArg[]) =>
    args.filter((arg) => isWanted(path, wantedOf([arg]))).map((arg) =>
      resolve(targetOf(path, arg))
    );
  const from = localOf(sources);
  return localOf(wishes).every((target) => from.includes(target));
}

/** The wishes that no output fulfils. */
export function missingOutputs(
  outputs: readonly Input[],
  wishes: readonly FileArg[],
): readonly FileArg[] {
  return wishes.filter((wish) =>
    wish.remote !== "" && !outputs.some(({ path }) => isWanted(path, wantedOf([wish])))
  );
}

/**
 * Refuses a job that succeeded without an output that it was to make.
 *
 * @throws {LlamaError} `OutputMissing`.
 */
export function refuseMissing(outputs: readonly Input[], wishes: readonly FileArg[]): void {
  const missing = missingOutputs(outputs, wishes).map(({ remote }) => JSON.stringify(remote));
  if (missing.length === 0) return;
  throw new LlamaError(
    "OutputMissing",
    `The command succeeded and did not make the output ${missing.join(", ")}`,
  );
}

/** Where an output goes by a wish that it fulfils. */
export function targetOf(path: string, { local, remote }: FileArg): string {
  const base = local.replace(/(?<=.)\/+$/, "");
  if (path === remote) return base;
  const rest = remote === "" ? path : path.slice(remote.length + 1);
  return base === "/" ? `/${rest}` : `${base}/${rest}`;
}
