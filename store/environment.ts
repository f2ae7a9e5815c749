/** The store that a worker's environment names. */
import { accountFromEnvironment } from "../aws/account.ts";
import { createAwsClient } from "../aws/client.ts";
import { LlamaError } from "../job/errors.ts";
import { type ObjectStore, openObjectStore } from "./object_store.ts";

/**
 * Opens the store that `LLAMA_OBJECT_STORE` names, with the credentials, region and endpoint that
 * Lambda gives a worker.
 *
 * @throws {LlamaError} `StoreMissing`, if there is no such variable, or `CredentialsMissing`.
 */
export function storeFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ObjectStore {
  const url = env.LLAMA_OBJECT_STORE;
  if (url === undefined || url === "") {
    throw new LlamaError("StoreMissing", "Cannot open the store as LLAMA_OBJECT_STORE is not set");
  }
  return openObjectStore({ client: createAwsClient(accountFromEnvironment(env)), url });
}
