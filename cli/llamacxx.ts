/** `llamac++`, the portable client: see cli/thin_client.ts. */
import { selfCommand } from "./self.ts";
import { endProcess, runThinClient } from "./thin_client.ts";

if (import.meta.main) {
  await endProcess(
    await runThinClient({ argv0: "llamac++", args: Deno.args, llama: selfCommand() }),
  );
}
