/** Memory and architecture of the functions in use, which are what their time costs by. */
import type { AwsClient } from "../aws/client.ts";
import type { FunctionSize } from "../aws/prices.ts";
import { type AskFunction, createFunctionInfo } from "./function_info.ts";

/** Sizes of functions by name. */
export interface FunctionSizes {
  /** Asks for a function's size, the first time that it is named, and does not wait for the answer. */
  learn(client: AwsClient, functionName: string): void;
  /** The size as far as it is known, otherwise that of a function which bootstrap made as it does unasked. */
  of(functionName: string): FunctionSize;
}

/** What `llama bootstrap` makes unless told otherwise. */
const USUAL: FunctionSize = { memoryMb: 1769, architecture: "x86_64" };

/** Creates sizes of which none is known. */
export function createFunctionSizes(about: AskFunction = createFunctionInfo()): FunctionSizes {
  const sizes = new Map<string, FunctionSize>();

  const ask = async (client: AwsClient, functionName: string) => {
    // A price is no reason to fail.
    const info = await about(client, functionName).catch(() => undefined);
    if (info === undefined) return;
    const { memoryMb, architectures: [architecture = USUAL.architecture] } = info;
    sizes.set(functionName, { memoryMb, architecture });
  };

  return {
    learn: (client, functionName) => {
      if (sizes.has(functionName)) return;
      sizes.set(functionName, USUAL);
      void ask(client, functionName);
    },
    of: (functionName) => sizes.get(functionName) ?? USUAL,
  };
}
