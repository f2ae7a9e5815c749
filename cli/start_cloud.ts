/** Starts the embedded cloud as a process of its own, which outlives the command that needed it. */
import { startDetached } from "../daemon/start_detached.ts";
import { selfCommand } from "./self.ts";

/** Path of the embedded cloud's log. */
export function cloudLogPath(llamaDir: string): string {
  return `${llamaDir}/cloud/cloud.log`;
}

/** Starts the embedded cloud of `llamaDir`; its endpoint.json says when it is ready. */
export async function startCloud(llamaDir: string): Promise<void> {
  await Deno.mkdir(`${llamaDir}/cloud`, { recursive: true, mode: 0o700 });
  // It starts in another folder, where a relative LLAMA_DIR would be another one.
  const command = ["env", `LLAMA_DIR=${llamaDir}`, ...selfCommand(), "cloud", "serve"];
  startDetached(command, cloudLogPath(llamaDir));
}
