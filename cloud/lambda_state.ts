/** What the parts of the embedded Lambda share. */
import type { Images } from "./images.ts";
import type { CodeStore } from "./lambda_code.ts";
import { functionNotFound } from "./lambda_errors.ts";
import { functionArn, type FunctionRecord } from "./lambda_function.ts";
import type { LazySeal } from "./lazy_seal.ts";
import type { Authorizer } from "./policy.ts";
import type { CloudSettings } from "./service.ts";
import type { Table } from "./state.ts";
import type { WorkerPool } from "./worker_pool.ts";
import type { SealKind } from "./worker_seal.ts";

/** What the embedded Lambda needs of the rest of the cloud. */
export interface LambdaDependencies {
  /** Reads an object of the embedded S3, undefined if it is not there. */
  readObject(bucket: string, key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Makes credentials of a role for `seconds` seconds. */
  issueRoleCredentials(
    roleArn: string,
    seconds: number,
  ): { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  /** Whether there is such a role. */
  roleExists(arn: string): boolean;
  /** Whether there is an image repository of that name. */
  repositoryExists(name: string): boolean;
  /** Decides what callers other than root may do; without it they may do nothing. */
  readonly authorizer?: Pick<Authorizer, "allows">;
}

/** Settings of the embedded Lambda. */
export interface LambdaOptions {
  /** AWS's limit of invocations at once; more are answered with 429. None unless given: they wait. */
  readonly accountConcurrency?: number;
  /** How long a new function is Pending and an update InProgress: 200 ms unless given. */
  readonly pendingMs?: number;
  /** How long an idle worker is kept: 5 minutes unless given. */
  readonly idleMs?: number;
  /** Most idle workers that are kept: the concurrency unless given. */
  readonly maxIdle?: number;
  /** Ways to seal workers, tried in this order: bubblewrap, then unshare, unless given. */
  readonly ways?: readonly Exclude<SealKind, "no">[];
}

/** An open embedded Lambda, as its actions see it. */
export interface LambdaState {
  /** Settings of the cloud. */
  readonly settings: CloudSettings;
  /** What it needs of the rest of the cloud. */
  readonly deps: LambdaDependencies;
  /** Its own settings. */
  readonly options: LambdaOptions;
  /** All functions. */
  readonly table: Table<FunctionRecord>;
  /** Their unpacked code. */
  readonly code: CodeStore;
  /** The images that functions run. */
  readonly images: Images;
  /** How workers are sealed. */
  readonly seal: LazySeal;
  /** All workers. */
  readonly pool: WorkerPool;
  /** Folder for what workers keep outside of their seal. */
  readonly scratch: string;
  /** Runs changes of functions and their code one after the other. */
  exclusive<T>(act: () => Promise<T>): Promise<T>;
  /** Looks after something that no request waits for. */
  background(work: Promise<unknown>): void;
}

/** Removes the code that no function has and no worker runs. */
export async function collectCode({ table, code, settings }: LambdaState): Promise<void> {
  const used = new Set<string>();
  for (const { current, previous, readyMs } of table.records.values()) {
    used.add(current.codeDigest);
    if (previous !== undefined && settings.now() < readyMs) used.add(previous.codeDigest);
  }
  await code.collect(used);
}

/**
 * The function of that name.
 *
 * @throws {ServiceError} `ResourceNotFoundException`
 */
export function findFunction(state: LambdaState, name: string): FunctionRecord {
  const record = state.table.records.get(name);
  if (record === undefined) throw functionNotFound(functionArn(name, state.settings));
  return record;
}
