/** What Lambda says of functions, asked once for each. */
import type { AwsClient } from "../aws/client.ts";
import { type FunctionInfo, getFunction } from "../aws/lambda.ts";

/** Asks for a function; undefined if there is none. Whatever fails is asked again. */
export type AskFunction = (client: AwsClient, name: string) => Promise<FunctionInfo | undefined>;

/** Creates an asker without a memory. */
export function createFunctionInfo(ask: AskFunction = getFunction): AskFunction {
  const byClient = new WeakMap<AwsClient, Map<string, Promise<FunctionInfo | undefined>>>();
  return (client, name) => {
    let known = byClient.get(client);
    if (!known) byClient.set(client, known = new Map());
    let asked = known.get(name);
    if (!asked) {
      known.set(name, asked = ask(client, name));
      asked.catch(() => known.delete(name));
    }
    return asked;
  };
}
