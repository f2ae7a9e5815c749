/**
 * The embedded Lambda, API version 2015-03-31: functions of .zip files for the provided runtimes, and
 * of images that stand unpacked in its state (images.ts).
 * Source: Lambda API Reference and Developer Guide, "Lambda quotas" and "Lambda function states".
 *
 * What differs from AWS: invocations wait in line instead of being throttled, unless a limit is set;
 * there is one version, $LATEST, and no alias or layer; an event is tried once; a streamed response is as fast as its
 * reader, where Lambda lets 2 MB a second through after the first 6 MB; MemorySize
 * is told to the function and in reports but not enforced: it bounds the memory of all processes of a
 * worker together, and only a cgroup of one's own can do that, which an ordinary user does not get
 * everywhere. A limit of address space (RLIMIT_AS) would not do: Deno reserves much more than it uses.
 */
import { FormatError, messageOf } from "../job/errors.ts";
import { ACTIONS } from "./lambda_actions.ts";
import { openImages } from "./images.ts";
import { openCodeStore } from "./lambda_code.ts";
import { functionNotFound } from "./lambda_errors.ts";
import { decodeFunction, functionArn, parseFunctionName } from "./lambda_function.ts";
import {
  collectCode,
  type LambdaDependencies,
  type LambdaOptions,
  type LambdaState,
} from "./lambda_state.ts";
import { lazySeal } from "./lazy_seal.ts";
import { type CloudSettings, type Service, ServiceError, type ServiceRequest } from "./service.ts";
import { openTable, removeIfThere } from "./state.ts";
import { openPool, type PoolOptions } from "./worker_pool.ts";
import { killThoseOf } from "./worker_processes.ts";
import { openSeal } from "./worker_seal.ts";

export type { LambdaDependencies, LambdaOptions } from "./lambda_state.ts";

/** What the embedded Lambda does at the moment. */
export interface LambdaStatus {
  /** Functions there are. */
  functions: number;
  /** Workers that live. */
  workers: number;
  /** Invocations that run. */
  running: number;
  /** Invocations that wait in line. */
  waiting: number;
  /** How workers are sealed: "bubblewrap", "unshare" or "no"; "unknown" until one is needed. */
  sealed: string;
}

/** An open embedded Lambda. */
export interface Lambda {
  /** Answers its requests. */
  readonly service: Service;
  /** Kills all workers and resolves when they are gone. */
  close(): Promise<void>;
  /** What it does at the moment. */
  status(): LambdaStatus;
}

/**
 * Opens the embedded Lambda with what is kept in `settings.directory`.
 *
 * @throws {LlamaError} `DamagedRecord` if the record of a function cannot be read.
 */
export async function openLambda(
  settings: CloudSettings,
  deps: LambdaDependencies,
  options: LambdaOptions = {},
): Promise<Lambda> {
  const directory = `${settings.directory}/lambda`;
  const scratch = `${directory}/scratch`;
  // What workers of a cloud that was killed left behind, where they were not sealed.
  killThoseOf(scratch);
  await removeIfThere(scratch, { recursive: true });
  const table = await openTable(`${directory}/functions`, decodeFunction);
  const code = await openCodeStore(`${directory}/code`);
  const seal = lazySeal(() =>
    openSeal({
      directory: `${settings.directory}/base`,
      log: settings.log,
      ...(options.ways === undefined ? {} : { ways: options.ways }),
    })
  );
  const pool = openPool(poolOptions(settings, options));
  const background = new Set<Promise<void>>();
  const state: LambdaState = {
    settings,
    deps,
    options,
    table,
    code,
    images: openImages(`${settings.directory}/images`),
    seal,
    pool,
    scratch,
    exclusive: inTurn(),
    background(work) {
      const done = work.then(() => {}, (error) => {
        settings.log(`lambda: ${messageOf(error)}`);
      }).finally(() => background.delete(done));
      background.add(done);
    },
  };
  await collectCode(state);
  // What has functions will be asked to run them.
  if (table.records.size > 0) state.background(seal.get());
  return {
    service: (request) => route(state, request),
    async close() {
      await pool.close();
      while (background.size > 0) await Promise.all(background);
    },
    status: () => ({ functions: table.records.size, ...pool.status(), sealed: seal.kind }),
  };
}

function poolOptions(settings: CloudSettings, options: LambdaOptions): PoolOptions {
  return {
    concurrency: settings.concurrency,
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    ...(options.maxIdle === undefined ? {} : { maxIdle: options.maxIdle }),
    log: settings.log,
    clock: {
      now: settings.now,
      after(ms, act) {
        const timer = setTimeout(act, ms);
        return () => clearTimeout(timer);
      },
    },
  };
}

function inTurn(): LambdaState["exclusive"] {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = last.then(act);
    last = mine.catch(() => {
      // The caller of `mine` gets this error; the next change must go on.
    });
    return mine;
  };
}

async function route(state: LambdaState, request: ServiceRequest): Promise<Response> {
  const parts = request.path.split("/").filter((part) => part !== "");
  for (const [method, path, action, act] of ACTIONS) {
    const pattern = path.split("/");
    const matches = method === request.method && pattern.length === parts.length &&
      pattern.every((part, at) => part === "*" || part === parts[at]);
    if (!matches) continue;
    const text = pattern.includes("*") ? decode(parts[pattern.indexOf("*")] ?? "") : undefined;
    const name = text === undefined ? "" : nameOf(state, text, request);
    authorize(state, request, action, name);
    try {
      const response = await act(state, request, name);
      response.headers.set("x-amzn-requestid", request.requestId);
      return response;
    } catch (cause) {
      if (!(cause instanceof FormatError)) throw cause;
      throw new ServiceError(400, "SerializationException", cause.message, { cause });
    }
  }
  throw new ServiceError(
    404,
    "UnknownOperationException",
    `The embedded cloud has no Lambda operation '${request.method} ${request.path}'`,
  );
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A broken escape is no function's name, and is answered like any other text that is none.
    return part;
  }
}

/** The name of the function in the path; there is no version of it but $LATEST. */
function nameOf(state: LambdaState, text: string, request: ServiceRequest): string {
  const { name, qualifier = request.query.get("Qualifier") ?? "$LATEST" } = parseFunctionName(text);
  if (qualifier !== "$LATEST") {
    throw functionNotFound(`${functionArn(name, state.settings)}:${qualifier}`);
  }
  return name;
}

function authorize(
  state: LambdaState,
  request: ServiceRequest,
  name: string,
  target: string,
): void {
  const { principal } = request;
  const action = `lambda:${name}`;
  const resource = target === "" ? "*" : functionArn(target, state.settings);
  if (principal.root || state.deps.authorizer?.allows(principal, { action, resource })) return;
  throw new ServiceError(
    403,
    "AccessDeniedException",
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource} ` +
      `because no identity-based policy allows the ${action} action`,
  );
}
