/** What Lambda says of functions, asked once for each. */
import type { AwsClient } from "../aws/client.ts";
import { type FunctionInfo, getFunction } from "../aws/lambda.ts";
import { LlamaError } from "../job/errors.ts";

/** Asks for a function; undefined if there is none, or if this user may not look at it. */
export type AskFunction = (client: AwsClient, name: string) => Promise<FunctionInfo | undefined>;

/** Creates an asker without a memory; `log` hears of what cannot be looked at. */
export function createFunctionInfo(
  log: (event: string, fields: Readonly<Record<string, string>>) => void = () => {},
): AskFunction {
  const byClient = new WeakMap<AwsClient, Map<string, Promise<FunctionInfo | undefined>>>();

  const ask: AskFunction = async (client, name) => {
    try {
      return await getFunction(client, name);
    } catch (error) {
      // Who may invoke a function need not be allowed to look at it.
      if (!(error instanceof LlamaError)) throw error;
      log("function", { name, taken: "for a zip", message: error.message });
      return undefined;
    }
  };

  return (client, name) => {
    let known = byClient.get(client);
    if (!known) byClient.set(client, known = new Map());
    let asked = known.get(name);
    if (!asked) known.set(name, asked = ask(client, name));
    return asked;
  };
}
