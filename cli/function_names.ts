/** What to say when a function does not exist: the names that do. */
import type { AwsClient } from "../aws/client.ts";
import { AwsError } from "../aws/error.ts";
import { listFunctions } from "../aws/lambda.ts";
import { LlamaError } from "../job/errors.ts";
import { nearest } from "./nearest.ts";

/** Most names that a hint holds. */
const MAX_NAMES = 5;

/** Whether `error` says that the function does not exist. */
export function isFunctionMissing(error: unknown): boolean {
  if (!(error instanceof AwsError) || error.service !== "lambda") return false;
  // What is no name of a function at all has none, either; Lambda's API Reference, "Invoke", FunctionName.
  return error.awsCode === "ResourceNotFoundException" ||
    error.awsCode === "ValidationException" && error.message.includes("'functionName'");
}

/** The error for a function that does not exist, with the names that are near. */
export async function functionMissing(
  client: AwsClient,
  name: string,
  cause: unknown,
): Promise<LlamaError> {
  return new LlamaError(
    "FunctionNotFound",
    `Cannot find the function ${JSON.stringify(name)} in ${client.account.region}`,
    { cause, hint: hintFor(name, await namesIn(client)) },
  );
}

async function namesIn(client: AwsClient): Promise<string[]> {
  try {
    return await Array.fromAsync(listFunctions(client), ({ functionName }) => functionName);
  } catch (error) {
    // The hint is a courtesy, and the permission to list may be lacking.
    if (error instanceof AwsError) return [];
    throw error;
  }
}

function hintFor(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean ${near}?`;
  if (names.length === 0) return "run llama bootstrap";
  const more = names.length > MAX_NAMES ? ", …" : "";
  return `there are ${names.toSorted().slice(0, MAX_NAMES).join(", ")}${more}`;
}
