/** A cloud and a daemon for the building of a whole project. */
import { assert } from "@std/assert";
import { cleanEnvironment, run, type RunOptions, say } from "../../scripts/demo/tools.ts";

const root = new URL("../../", import.meta.url).pathname;

/** What `llama daemon -stats -json` prints, as far as it is needed. */
export interface Stats {
  readonly remote: number;
  readonly rounds: number;
  readonly inputs: number;
  readonly inputsUsed: number;
  readonly voids: Readonly<Record<string, number>>;
  readonly local: Readonly<Record<string, number>>;
  readonly fallback: Readonly<Record<string, number>>;
}

/** A folder with a cloud of its own. */
export interface Lab {
  readonly folder: string;
  readonly options: RunOptions;
  readonly stats: (...args: string[]) => Promise<Stats>;
}

/** The folder of llamacc and llamac++. */
export const BIN = `${root}bin`;

/** Runs `test` with a cloud of its own, whose workers have no headers. */
export async function inCloud(test: (lab: Lab) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-slow-" });
  const env = cleanEnvironment({ bin: BIN, llamaDir: `${folder}/llama` });
  const options = { cwd: folder, env };
  try {
    await run(["llama", "bootstrap"], options);
    await run(["llama", "daemon", "-autostart"], options);
    const headers = await run(["llama", "invoke", "llama", "ls", "/usr/include"], options).then(
      () => "some",
      (error) => String(error),
    );
    assert(/No such file or directory/.test(headers), `a worker has headers: ${headers}`);
    await test({
      folder,
      options,
      stats: async (...args) => {
        // It ends when nothing has been compiled for a while, as in a long build by the local compiler.
        await run(["llama", "daemon", "-autostart"], options);
        return JSON.parse(await run(["llama", "daemon", "-stats", "-json", ...args], options));
      },
    });
  } finally {
    await run(["llama", "daemon", "-shutdown"], options).catch((error) => say(String(error)));
    await run(["llama", "cloud", "-stop"], options);
    await Deno.remove(folder, { recursive: true });
  }
}
