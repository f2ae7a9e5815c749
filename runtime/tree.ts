/** All inputs of a job as one tree: manifests first, then the job's own, a later one for an earlier. */
import { LlamaError } from "../job/errors.ts";
import type { Input } from "../job/manifest.ts";
import { parentOf } from "../job/path.ts";

/** Inputs by path, each path once, none below a file or link. */
export type Tree = ReadonlyMap<string, Input>;

/**
 * Joins lists of inputs.
 *
 * @throws {LlamaError} `BadJob` if a path is two kinds of thing, or lies below a file or link.
 */
export function joinInputs(lists: readonly (readonly Input[])[]): Tree {
  const tree = new Map<string, Input>();
  for (const inputs of lists) {
    for (const input of inputs) {
      const before = tree.get(input.path);
      if (before && before.kind !== input.kind) {
        throw badInput(input.path, `it is both a ${before.kind} and a ${input.kind}`);
      }
      if (input.path === "/" && input.kind !== "folder") {
        throw badInput(input.path, `a ${input.kind} cannot be the root`);
      }
      tree.set(input.path, input);
    }
  }
  const clear = new Set<string>();
  for (const { path } of tree.values()) {
    const fresh: string[] = [];
    for (
      let folder = parentOf(path);
      folder !== "" && folder !== "/" && !clear.has(folder);
      folder = parentOf(folder)
    ) {
      const above = tree.get(folder);
      if (above && above.kind !== "folder") {
        throw badInput(path, `it lies below the ${above.kind} ${JSON.stringify(folder)}`);
      }
      fresh.push(folder);
    }
    for (const folder of fresh) clear.add(folder);
  }
  return tree;
}

function badInput(path: string, problem: string): LlamaError {
  return new LlamaError("BadJob", `Cannot lay out the input ${JSON.stringify(path)} as ${problem}`);
}
