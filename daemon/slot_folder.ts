/** A temporary folder for what a program leaves that runs here in a slot. */
import type { Slots } from "./slots.ts";

/** Calls `work` with an empty folder while a slot is held; the folder is gone afterwards, whatever happened. */
export async function inSlotFolder<T>(
  slots: Slots,
  signal: AbortSignal,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const slot = await slots.acquire(signal);
  let folder: string | undefined;
  try {
    folder = await Deno.makeTempDir({ prefix: "llamacc-" });
    return await work(folder);
  } finally {
    slot.release();
    if (folder !== undefined) await Deno.remove(folder, { recursive: true });
  }
}
