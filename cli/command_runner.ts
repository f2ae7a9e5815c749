/** The runner of local commands elsewhere, with the tools of this machine. */
import { openCommandMemory } from "../daemon/command_memory.ts";
import { type CommandRunner, createCommandRunner } from "../daemon/command_run.ts";
import { openRealTools } from "../daemon/real_tools.ts";
import { keptShim } from "../daemon/shim_build.ts";

/** Jobs until nothing is missing, at most, unless told otherwise. */
export const MAX_ROUNDS = 20;

/** Opens the runner, which learns into a file of `llamaDir`; `onRound` hears of each round that was not the last. */
export async function openCommandRunner(
  llamaDir: string,
  onRound: (round: number, missing: readonly string[]) => void,
): Promise<CommandRunner> {
  return createCommandRunner({
    ...openRealTools(),
    memory: await openCommandMemory(`${llamaDir}/commands.json`),
    shim: () => keptShim(`${llamaDir}/cache`),
    onRound,
  });
}
