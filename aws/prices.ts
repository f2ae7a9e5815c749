/** What AWS charges, in US dollars: list prices of us-east-1, without the free tier. */

/** AWS Lambda pricing: a GB-second by architecture. */
const USD_PER_GB_SECOND: Readonly<Record<string, number | undefined>> = {
  x86_64: 0.0000166667,
  arm64: 0.0000133334,
};
/** AWS Lambda pricing: a request. */
const USD_PER_INVOCATION = 0.2 / 1_000_000;
/** Amazon S3 pricing, S3 Standard: a PUT, COPY, POST or LIST request. */
const USD_PER_PUT = 0.005 / 1_000;
/** Amazon S3 pricing, S3 Standard: a GET request, and any other but DELETE, which is free. */
const USD_PER_GET = 0.0004 / 1_000;

/** What a function runs on. */
export interface FunctionSize {
  /** Memory in MiB. */
  readonly memoryMb: number;
  /** `x86_64` or `arm64`. */
  readonly architecture: string;
}

/** Price of one invocation that took `billedMs` milliseconds. */
export function invocationUsd({ memoryMb, architecture }: FunctionSize, billedMs: number): number {
  const perSecond = USD_PER_GB_SECOND[architecture] ?? USD_PER_GB_SECOND.x86_64 ?? 0;
  return USD_PER_INVOCATION + billedMs / 1000 * memoryMb / 1024 * perSecond;
}

/** How S3 charges for an operation. */
export type S3Class = "put" | "get" | "free";

/** The class of an S3 operation, such as `PutObject`. */
export function s3Class(operation: string): S3Class {
  if (/^(?:Delete|Abort)/.test(operation)) return "free";
  return /^(?:Get|Head)/.test(operation) ? "get" : "put";
}

/** Price of requests to S3. */
export function s3Usd({ puts, gets }: { readonly puts: number; readonly gets: number }): number {
  return puts * USD_PER_PUT + gets * USD_PER_GET;
}
