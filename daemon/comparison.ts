/** Ends a compilation that LLAMACC_VERIFY had run elsewhere: it runs here, too, and what differs is said. */
import type { Connection } from "./connection.ts";
import type { Compiled, KeptOutputs, RemoteRequest } from "./remote_request.ts";
import type { runAsClient } from "./run_as_client.ts";
import type { Slots } from "./slots.ts";
import { count, type StatsKeeper } from "./stats.ts";
import { verify, type VerifyTools, withoutTerminal } from "./verify.ts";

/** What LLAMACC_VERIFY needs of this machine. */
export interface VerificationTools extends Omit<VerifyTools, "runHere"> {
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  /** Runs the local compiler as a client would. */
  readonly run: typeof runAsClient;
}

/** What {@linkcode createComparison} works with. */
export interface ComparisonTools {
  readonly slots: Slots;
  readonly stats: StatsKeeper;
  readonly verification: VerificationTools;
  /** Takes an event for the log. */
  readonly log: (event: string, fields: Readonly<Record<string, string | number>>) => void;
}

/** Ends `remote`, whose run elsewhere printed `compiled` and made `kept`, as the run here ends. */
export type Comparison = (
  compiled: Compiled,
  kept: readonly KeptOutputs[],
  remote: RemoteRequest,
  connection: Connection,
) => Promise<void>;

/** Creates it. */
export function createComparison({ slots, stats, verification, log }: ComparisonTools): Comparison {
  const { run, ...tools } = verification;
  return async (compiled, kept, remote, connection) => {
    const { name, args, request } = withoutTerminal(remote);
    const argv = [name, ...args];
    const runHere = async () => {
      const slot = await slots.acquire(connection.signal);
      try {
        return await run(request, argv, connection.signal);
      } finally {
        slot.release();
      }
    };
    const { verdict, here, differences } = await verify(compiled, kept, { ...tools, runHere });
    stats.add(({ verified }) => count(verified, verdict));
    await connection.stdout(here.stdout);
    await connection.stderr(here.stderr);
    const [first] = differences;
    if (first !== undefined) {
      const more = differences.length > 1 ? `, and ${differences.length - 1} more differences` : "";
      const command = argv.join(" ");
      log("different", { first: first.text, differences: differences.length, command });
      const text = `llamacc: verified, and ${first.text}${more}; what is here stands: ${command}\n`;
      await connection.stderr(new TextEncoder().encode(text));
    }
    if (here.signal === null) await connection.exit(here.code);
    else await connection.kill(here.code - 128);
  };
}
