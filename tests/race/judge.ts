/** What the local compiler makes of a state of a tree, in a copy of it. */
import type { BuildCloud } from "../build_cloud.ts";
import { FLAGS, type Tree, writeTree } from "./tree.ts";

/** How a compilation ended, comparable as a text: status, words and the object's bytes. */
export type Outcome = string;

/** Runs `compiler` on a source of the tree in `folder`, with the object in `object`. */
export async function compileIn(
  cloud: BuildCloud,
  compiler: string,
  folder: string,
  source: string,
  object: string,
): Promise<Outcome> {
  const command = [compiler, ...FLAGS, "-c", source, "-o", object];
  const env = { LLAMACC_LOCAL_FALLBACK: "0" };
  const { code, signal, stderr } = await cloud.run(command, { cwd: folder, env });
  let bytes = "none";
  try {
    bytes = (await Deno.readFile(object)).toBase64();
    await Deno.remove(object);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return JSON.stringify({ code, signal, stderr, bytes });
}

/** Whether llamacc would have run the local compiler, as it had no result that it could trust. */
export function wouldRunHere(outcome: Outcome): boolean {
  return /"stderr":"(?:[^"]*\\n)?llamacc: /.test(outcome);
}

/** A judge with a folder of its own for copies. */
export interface Judge {
  /** What the compiler makes of a source in this state. */
  expect(tree: Tree, source: string): Promise<Outcome>;
}

/** Opens a judge; states that are alike are compiled once. */
export function openJudge(cloud: BuildCloud, folder: string): Judge {
  const known = new Map<string, Outcome>();
  return {
    expect: async (tree, source) => {
      const key = JSON.stringify([source, [...tree].sort(([a], [b]) => a < b ? -1 : 1)]);
      let outcome = known.get(key);
      if (outcome === undefined) {
        await Deno.remove(folder, { recursive: true }).catch((error: unknown) => {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        });
        writeTree(folder, tree);
        outcome = await compileIn(cloud, "cc", folder, source, `${folder}.o`);
        known.set(key, outcome);
      }
      return outcome;
    },
  };
}
