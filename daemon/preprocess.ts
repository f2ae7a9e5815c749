/** Runs the preprocessor here, in a slot, for LLAMACC_LOCAL_PREPROCESS. */
import type { ProcessRunner } from "../cc/file_system.ts";
import { splitCommand } from "../cc/preprocessing.ts";
import type { RemoteRequest } from "./remote_request.ts";
import type { Slots } from "./slots.ts";

/** What the preprocessor made. */
export interface Preprocessed {
  readonly code: number;
  readonly stderr: string;
  /** Stands for the source; absent if the preprocessor failed. */
  readonly text?: Uint8Array<ArrayBuffer>;
  /** Arguments that compile the text. */
  readonly args: readonly string[];
}

/** Preprocesses the source of `remote`, and writes its dependency file. */
export async function preprocess(
  remote: RemoteRequest,
  tools: { readonly processes: ProcessRunner; readonly slots: Slots },
): Promise<Preprocessed> {
  const { request, settings, driver, compilation } = remote;
  const slot = await tools.slots.acquire(remote.signal);
  let folder: string | undefined;
  try {
    folder = await Deno.makeTempDir({ prefix: "llamacc-" });
    const textPath = `${folder}/text`;
    const split = splitCommand(compilation, { full: settings.fullPreprocess, textPath });
    // The daemon's own mask is not the client's.
    const mask = `umask ${request.umask.toString(8)}; exec "$@"`;
    const asUser = ["-c", mask, "sh", driver, ...split.preprocess];
    const { code, stderr } = await tools.processes.run("/bin/sh", asUser, {
      cwd: request.cwd,
      env: request.env,
    });
    if (code !== 0) return { code, stderr, args: split.compile };
    return { code, stderr, args: split.compile, text: await Deno.readFile(textPath) };
  } finally {
    slot.release();
    if (folder !== undefined) await Deno.remove(folder, { recursive: true });
  }
}
