/** What `-march=native` means on this machine, asked once of each compiler for each set of flags. */
import { partEnvironment } from "../cc/environment.ts";
import type { ProcessRunner } from "../cc/file_system.ts";
import {
  asksForNative,
  clangProcessor,
  hidesProcessor,
  machineArgs,
  type NativeProcessor,
  nativeSpecs,
  probeSpecs,
} from "../cc/native_processor.ts";
import { type RemoteRequest, StaysHere } from "./remote_request.ts";

/** Finds what a command needs to mean this machine; `undefined` if it does not ask for its processor. */
export type NativeProcessors = (remote: RemoteRequest) => Promise<NativeProcessor | undefined>;

/**
 * Creates a finder, which throws {@linkcode StaysHere} where a compiler elsewhere cannot be told.
 */
export function createNativeProcessors(processes: ProcessRunner): NativeProcessors {
  const asked = new Map<string, Promise<NativeProcessor | undefined>>();
  return async ({ driver, args, line, compilation, request }) => {
    if (!asksForNative(line.flags)) return undefined;
    const machine = machineArgs(compilation.args);
    const env = partEnvironment(request.env);
    const key = JSON.stringify([driver, machine, env]);
    let asking = asked.get(key);
    if (!asking) {
      asked.set(key, asking = ask(driver, machine, { processes, env }));
      asking.catch(() => asked.delete(key));
    }
    const found = await asking;
    const clangTells = found?.names &&
      (!hidesProcessor(compilation.args) || !asksForNative(args) || compilation.language.assembler);
    if (found && !clangTells) return found;
    throw new StaysHere("native-processor");
  };
}

async function ask(
  driver: string,
  machine: readonly string[],
  { processes, env }: {
    readonly processes: ProcessRunner;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<NativeProcessor | undefined> {
  const run = (args: readonly string[]) =>
    processes.run(driver, args, { cwd: "/", env: { ...env, LC_ALL: "C" } });
  const unit = ["-###", "-c", ...machine, "-x", "c", "/dev/null", "-o", "/dev/null"];
  const dumped = await run(["-dumpspecs"]);
  if (dumped.code !== 0) return clangProcessor((await run(unit)).stderr);
  const probe = probeSpecs(dumped.stdout);
  if (probe === undefined) return undefined;
  const file = await Deno.makeTempFile({ prefix: "llamacc-", suffix: ".specs" });
  try {
    await Deno.writeTextFile(file, probe);
    const specs = nativeSpecs(dumped.stdout, (await run([`-specs=${file}`, ...unit])).stderr);
    return specs === undefined ? undefined : { specs };
  } finally {
    await Deno.remove(file);
  }
}
