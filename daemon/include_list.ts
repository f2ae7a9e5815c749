/** Has the preprocessor here list what a unit includes, in a slot. */
import type { ProcessRunner } from "../cc/file_system.ts";
import { listCommand, parseIncludeList } from "../cc/include_list.ts";
import { absolute, type RemoteRequest } from "./remote_request.ts";
import { inSlotFolder } from "./slot_folder.ts";
import type { Slots } from "./slots.ts";

/** Absolute paths of all that the unit includes, as far as the preprocessor comes. */
export async function listIncludes(
  { request, driver, compilation, signal }: RemoteRequest,
  { processes, slots }: { readonly processes: ProcessRunner; readonly slots: Slots },
): Promise<string[]> {
  return await inSlotFolder(slots, signal, async (folder) => {
    const path = `${folder}/list`;
    await processes.run(driver, listCommand(compilation, path), {
      cwd: request.cwd,
      env: request.env,
    });
    try {
      const text = await Deno.readTextFile(path);
      return parseIncludeList(text).map((name) => absolute(name, request.cwd));
    } catch (error) {
      // A source that is wrong has no list; what the compiler says of it the job says, too.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}
