/**
 * Which of the two configurations is in force.
 *
 * `deno.json` is the project's own: it names `@std` packages on JSR. `deno.offline.json` is the same
 * but for its imports, which lead to the stand-ins under `offline/`, and its lock file. It serves
 * machines that reach npm but not JSR. Only a network failure chooses it: a stale lock file, a syntax
 * error or a wrong import must show itself under the configuration that users get.
 */

/** The configuration chosen, and the reason for it. */
export interface ConfigChoice {
  /** File name in the project's root. */
  readonly file: "deno.json" | "deno.offline.json";
  /** Why, as a clause without a final period. */
  readonly reason: string;
}

/** What the choice depends on. */
export interface ConfigSeams {
  /** The value of an environment variable. */
  env(name: string): string | undefined;
  /** Whether the `@std` packages of `deno.json` are in Deno's cache already. */
  isCached(): Promise<boolean>;
  /** The status that a GET of `url` answers, or the reason why nothing answered. */
  probe(url: string): Promise<number | string>;
}

/** Chooses the configuration; `LLAMA_OFFLINE` set to 1 or 0 decides alone. */
export async function chooseConfig(seams: ConfigSeams): Promise<ConfigChoice> {
  const wish = seams.env("LLAMA_OFFLINE");
  if (wish === "1") return { file: "deno.offline.json", reason: "LLAMA_OFFLINE is 1" };
  if (wish === "0") return { file: "deno.json", reason: "LLAMA_OFFLINE is 0" };
  if (await seams.isCached()) return { file: "deno.json", reason: "its packages are cached" };
  const registry = seams.env("JSR_URL") ?? "https://jsr.io/";
  const { host } = new URL(registry);
  const answer = await seams.probe(new URL("@std/cli/meta.json", registry).href);
  if (answer === 200) return { file: "deno.json", reason: `${host} answers` };
  const failure = typeof answer === "number" ? `it answers ${answer}` : answer;
  return { file: "deno.offline.json", reason: `${host} cannot be reached: ${failure}` };
}

/** The project's root, with a slash at the end. */
export const projectRoot: URL = new URL("../", import.meta.url);

/** The seams as they are on this machine. */
export function realSeams(timeoutMs = 8000): ConfigSeams {
  return {
    env: (name) => Deno.env.get(name),
    isCached: async () => {
      const { success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-q", "--cached-only", "--frozen", "scripts/std_packages.ts"],
        cwd: projectRoot,
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).output();
      return success;
    },
    probe: async (url) => {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
        await response.body?.cancel();
        return response.status;
      } catch (error) {
        if (error instanceof DOMException) return `no answer in ${timeoutMs / 1000} s`;
        // Only the last part names the cause; the rest repeats the URL.
        if (error instanceof Error) {
          return innermostMessage(error).split(": ").at(-1) ?? "no answer";
        }
        return String(error);
      }
    },
  };
}

function innermostMessage(error: Error): string {
  return error.cause instanceof Error ? innermostMessage(error.cause) : error.message;
}

/** Runs `deno SUBCOMMAND --config FILE ARGS`, passing the choice on, and returns its exit status. */
export async function runDeno(
  choice: ConfigChoice,
  subcommand: string,
  args: readonly string[],
): Promise<number> {
  const status = await new Deno.Command(Deno.execPath(), {
    args: [subcommand, "--config", choice.file, ...args],
    cwd: projectRoot,
    env: {
      LLAMA_OFFLINE: choice.file === "deno.json" ? "0" : "1",
      // For a llama that runs from these sources and starts itself again.
      LLAMA_DENO_CONFIG: new URL(choice.file, projectRoot).pathname,
    },
  }).spawn().status;
  return status.code;
}
