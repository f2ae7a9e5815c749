/** Runs the preprocessor here, in a slot, for LLAMACC_LOCAL_PREPROCESS. */
import type { ProcessRunner } from "../cc/file_system.ts";
import { splitCommand, withoutOnce } from "../cc/preprocessing.ts";
import { absolute, type RemoteRequest, type SourceText, StaysHere } from "./remote_request.ts";
import { inSlotFolder } from "./slot_folder.ts";
import type { Slots } from "./slots.ts";

/** What the preprocessor made. */
export interface Preprocessed {
  /** What it said. */
  readonly stderr: string;
  /** Stands for the source. */
  readonly text: SourceText;
  /** Arguments that compile the text. */
  readonly args: readonly string[];
}

/**
 * Preprocesses the source of `remote`, and writes its dependency file.
 *
 * @throws {StaysHere} `preprocessor-words` if the compiler here must say what is wrong.
 */
export async function preprocess(
  remote: RemoteRequest,
  tools: {
    readonly processes: ProcessRunner;
    readonly slots: Slots;
  },
): Promise<Preprocessed> {
  const { request, settings, driver, family, compilation } = remote;
  return await inSlotFolder(tools.slots, remote.signal, async (folder) => {
    const textPath = `${folder}/text`;
    const full = settings.fullPreprocess;
    const split = splitCommand(compilation, { full, textPath, family });
    // The daemon's own mask is not the client's.
    const mask = `umask ${request.umask.toString(8)}; exec "$@"`;
    const asUser = ["-c", mask, "sh", driver, ...split.preprocess];
    const { code, stderr } = await tools.processes.run("/bin/sh", asUser, {
      cwd: request.cwd,
      env: request.env,
    });
    // It goes on after most errors, on a terminal its words look otherwise, and clang repeats them.
    const isWrong = stderr !== "" && (request.stderrIsTerminal || family === "clang");
    if (code !== 0 || isWrong) {
      throw new StaysHere("preprocessor-words");
    }
    const bytes = await Deno.readFile(textPath);
    return {
      stderr,
      args: split.compile,
      text: {
        path: absolute(split.place, request.cwd),
        bytes: full ? bytes : withoutOnce(bytes),
      },
    };
  });
}
