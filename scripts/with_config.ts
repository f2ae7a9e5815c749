/**
 * `with_config.ts [--build] SUBCOMMAND ARGS...` runs `deno SUBCOMMAND ARGS...` with the configuration
 * that this machine can use, and says on standard error which one that is. `--build` builds first.
 */
import { chooseConfig, realSeams, runDeno } from "./config.ts";

const USAGE = "usage: with_config.ts [--build] SUBCOMMAND ARGS...\n";

async function main(args: readonly string[]): Promise<number> {
  const encoder = new TextEncoder();
  const builds = args[0] === "--build";
  const [subcommand, ...rest] = builds ? args.slice(1) : args;
  if (subcommand === undefined) {
    await Deno.stderr.write(encoder.encode(USAGE));
    return 2;
  }
  const choice = await chooseConfig(realSeams());
  await Deno.stderr.write(encoder.encode(`Using ${choice.file} as ${choice.reason}\n`));
  const status = builds ? await runDeno(choice, "run", ["-A", "scripts/build.ts"]) : 0;
  return status === 0 ? await runDeno(choice, subcommand, rest) : status;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
