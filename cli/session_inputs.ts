/** From a command's flags and environment to an open account or session. */
import type { SessionInputs } from "../daemon/session.ts";
import { LlamaError } from "../job/errors.ts";
import { parseStoreUrl } from "../store/url.ts";
import type { CommandContext } from "./command.ts";
import { usageError } from "./flags.ts";
import { startCloud } from "./start_cloud.ts";

/** What {@linkcode openAccount} and {@linkcode openSession} need, as the command line says it. */
export function sessionInputs(
  { flags, env, llamaDir, output }: Pick<CommandContext, "flags" | "env" | "llamaDir" | "output">,
): SessionInputs {
  const region = flags.value("region");
  const profile = flags.value("profile");
  const endpointUrl = flags.value("endpoint-url");
  const store = flags.value("store");
  const s3Concurrency = flags.integer("s3-concurrency");
  if (store !== undefined && !isStoreUrl(store)) {
    throw usageError(`The flag -store takes s3://BUCKET/PREFIX, not ${JSON.stringify(store)}`);
  }
  return {
    env,
    llamaDir,
    flags: {
      ...(region !== undefined && { region }),
      ...(profile !== undefined && { profile }),
      ...(endpointUrl !== undefined && { endpointUrl }),
      ...(store !== undefined && { store }),
      ...(s3Concurrency !== undefined && { s3Concurrency }),
    },
    startCloud: () => startCloud(llamaDir),
    say: output.say,
    ...(flags.has("debug-aws") && { debug: output.say }),
  };
}

function isStoreUrl(text: string): boolean {
  try {
    parseStoreUrl(text);
    return true;
  } catch (error) {
    if (error instanceof LlamaError) return false;
    throw error;
  }
}
