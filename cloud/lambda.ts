/**
 * The embedded Lambda, API version 2015-03-31: functions of .zip files for the provided runtimes.
 * Source: Lambda API Reference and Developer Guide, "Lambda quotas" and "Lambda function states".
 *
 * What differs from AWS: invocations wait in line instead of being throttled, unless a limit is set;
 * there is one version, $LATEST, and no alias, layer or image; an event is tried once; MemorySize
 * is told to the function and in reports but not enforced.
 */
import { FormatError, messageOf } from "../job/errors.ts";
import { asInteger, asObject, asString, type Json, parseJson } from "../job/json.ts";
import { type CodeStore, openCodeStore } from "./lambda_code.ts";
import { conflict, functionNotFound, invalidParameter, tooLarge } from "./lambda_errors.ts";
import {
  checkChangeable,
  configurationOf,
  decodeFunction,
  functionArn,
  type FunctionRecord,
  type FunctionVersion,
  parseFunctionName,
  readArchitecture,
  readFlag,
  readSettable,
  readTags,
  refuseUnknown,
  type Settable,
} from "./lambda_function.ts";
import { invoke, type InvokeContext } from "./lambda_invoke.ts";
import type { Authorizer } from "./policy.ts";
import { type CloudSettings, type Service, ServiceError, type ServiceRequest } from "./service.ts";
import { openTable, removeIfThere, type Table } from "./state.ts";
import { startWorker, type Worker } from "./worker.ts";
import { openPool, type PoolFunction, type PoolOptions, StartError } from "./worker_pool.ts";
import type { WorkerPool } from "./worker_pool.ts";
import { openSeal, type Seal, type SealKind } from "./worker_seal.ts";

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
  /** How workers are sealed: "bubblewrap", "unshare" or "no". */
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

/** Most bytes of a request that carries a .zip file: 50 MiB in base64, and the rest. */
const MAX_UPLOAD_BYTES = 70_167_211;
/** Workers live 6 hours (worker_pool.ts), and their last invocation at most 15 minutes more. */
const CREDENTIAL_SECONDS = 8 * 3600;

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
  await removeIfThere(scratch, { recursive: true });
  const table = await openTable(`${directory}/functions`, decodeFunction);
  const code = await openCodeStore(`${directory}/code`);
  const seal = await openSeal({
    directory: `${settings.directory}/base`,
    log: settings.log,
    ...(options.ways === undefined ? {} : { ways: options.ways }),
  });
  const pool = openPool(poolOptions(settings, options));
  const background = new Set<Promise<void>>();
  const state: State = {
    settings,
    deps,
    options,
    table,
    code,
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
  await collect(state);
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

interface State {
  readonly settings: CloudSettings;
  readonly deps: LambdaDependencies;
  readonly options: LambdaOptions;
  readonly table: Table<FunctionRecord>;
  readonly code: CodeStore;
  readonly seal: Seal;
  readonly pool: WorkerPool;
  readonly scratch: string;
  /** Runs changes of functions and their code one after the other. */
  exclusive<T>(act: () => Promise<T>): Promise<T>;
  /** Looks after something that no request waits for. */
  background(work: Promise<unknown>): void;
}

function inTurn(): State["exclusive"] {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = last.then(act);
    last = mine.catch(() => {
      // The caller of `mine` gets this error; the next change must go on.
    });
    return mine;
  };
}

/** Removes the code that no function has and no worker runs. */
async function collect({ table, code, settings }: State): Promise<void> {
  const used = new Set<string>();
  for (const { current, previous, readyMs } of table.records.values()) {
    used.add(current.codeDigest);
    if (previous !== undefined && settings.now() < readyMs) used.add(previous.codeDigest);
  }
  await code.collect(used);
}

type Action = (state: State, request: ServiceRequest, name: string) => Promise<Response>;

/** Method, path with `*` for the function's name, name of the action, and what does it. */
const ACTIONS: readonly (readonly [string, string, string, Action])[] = [
  ["GET", "2015-03-31/functions", "ListFunctions", listFunctions],
  ["POST", "2015-03-31/functions", "CreateFunction", createFunction],
  ["GET", "2015-03-31/functions/*", "GetFunction", getFunction],
  ["DELETE", "2015-03-31/functions/*", "DeleteFunction", deleteFunction],
  ["GET", "2015-03-31/functions/*/configuration", "GetFunctionConfiguration", getConfiguration],
  [
    "PUT",
    "2015-03-31/functions/*/configuration",
    "UpdateFunctionConfiguration",
    updateConfiguration,
  ],
  ["PUT", "2015-03-31/functions/*/code", "UpdateFunctionCode", updateCode],
  ["POST", "2015-03-31/functions/*/invocations", "InvokeFunction", invokeFunction],
  ["PUT", "2017-10-31/functions/*/concurrency", "PutFunctionConcurrency", putConcurrency],
  ["DELETE", "2017-10-31/functions/*/concurrency", "DeleteFunctionConcurrency", deleteConcurrency],
  ["GET", "2019-09-30/functions/*/concurrency", "GetFunctionConcurrency", getConcurrency],
  ["GET", "2016-08-19/account-settings", "GetAccountSettings", getAccountSettings],
];

async function route(state: State, request: ServiceRequest): Promise<Response> {
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
function nameOf(state: State, text: string, request: ServiceRequest): string {
  const { name, qualifier = request.query.get("Qualifier") ?? "$LATEST" } = parseFunctionName(text);
  if (qualifier !== "$LATEST") {
    throw functionNotFound(`${functionArn(name, state.settings)}:${qualifier}`);
  }
  return name;
}

function authorize(state: State, request: ServiceRequest, name: string, target: string): void {
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

function find(state: State, name: string): FunctionRecord {
  const record = state.table.records.get(name);
  if (record === undefined) throw functionNotFound(functionArn(name, state.settings));
  return record;
}

function bodyOf(request: ServiceRequest): Json {
  if (request.body.length > MAX_UPLOAD_BYTES) {
    throw tooLarge(
      "RequestEntityTooLargeException",
      `Request must be smaller than ${MAX_UPLOAD_BYTES} bytes for the operation`,
    );
  }
  const text = new TextDecoder().decode(request.body);
  return asObject(parseJson(text === "" ? "{}" : text, "the request"), "the request");
}

async function readZip(state: State, from: Json): Promise<Uint8Array<ArrayBuffer>> {
  if (from["ZipFile"] !== undefined) {
    try {
      return Uint8Array.fromBase64(asString(from["ZipFile"], "ZipFile"));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new FormatError("ZipFile", "it is not base64", { cause });
    }
  }
  if (from["S3Bucket"] === undefined || from["S3Key"] === undefined) {
    throw invalidParameter("Please provide a source for function code.");
  }
  const bucket = asString(from["S3Bucket"], "S3Bucket");
  const zip = await state.deps.readObject(bucket, asString(from["S3Key"], "S3Key"));
  if (zip !== undefined) return zip;
  throw invalidParameter(
    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified " +
      "key does not exist.",
  );
}

async function newCode(
  state: State,
  from: Json,
): Promise<Pick<FunctionVersion, "codeDigest" | "codeSize">> {
  const zip = await readZip(state, from);
  return { codeDigest: await state.code.add(zip), codeSize: zip.length };
}

function listFunctions(state: State, request: ServiceRequest): Promise<Response> {
  const { settings, table } = state;
  const limit = Math.min(50, Math.max(1, Number(request.query.get("MaxItems") ?? "50") || 50));
  const after = request.query.get("Marker") ?? "";
  const names = [...table.records.keys()].sort().filter((name) => name > after);
  const shown = names.slice(0, limit);
  return Promise.resolve(Response.json({
    Functions: shown.map((name) => configurationOf(find(state, name), settings)),
    ...(names.length > limit ? { NextMarker: shown.at(-1) } : {}),
  }));
}

function createFunction(state: State, request: ServiceRequest): Promise<Response> {
  const { settings, table, deps } = state;
  const body = bodyOf(request);
  const { name } = parseFunctionName(asString(body["FunctionName"], "FunctionName"));
  refuseUnknown(body);
  const set = readSettable(body, (arn) => deps.roleExists(arn));
  const { runtime, handler, role } = set;
  if (role === undefined) throw new FormatError("the request", "it has no 'Role'");
  if (runtime === undefined || handler === undefined) {
    throw invalidParameter(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  }
  const architecture = readArchitecture(body["Architectures"]);
  const tags = readTags(body["Tags"]);
  return state.exclusive(async () => {
    if (table.records.has(name)) throw conflict(`Function already exist: ${name}`);
    const made = await newCode(state, asObject(body["Code"] ?? {}, "Code"));
    const nowMs = settings.now();
    const record: FunctionRecord = {
      name,
      current: {
        ...{ description: "", timeoutSeconds: 3, memoryMb: 128, tmpMb: 512, environment: {} },
        ...set,
        ...{ runtime, handler, role, architecture },
        ...made,
        revisionId: crypto.randomUUID(),
        modifiedMs: nowMs,
      },
      readyMs: nowMs + pendingMs(state),
      tags,
    };
    await table.put(name, record);
    return Response.json(configurationOf(record, settings), { status: 201 });
  });
}

function pendingMs(state: State): number {
  return state.options.pendingMs ?? 200;
}

function getFunction(state: State, _request: ServiceRequest, name: string): Promise<Response> {
  const record = find(state, name);
  return Promise.resolve(Response.json({
    Configuration: configurationOf(record, state.settings),
    Code: { RepositoryType: "S3" },
    ...(Object.keys(record.tags).length === 0 ? {} : { Tags: record.tags }),
    ...(record.reserved === undefined
      ? {}
      : { Concurrency: { ReservedConcurrentExecutions: record.reserved } }),
  }));
}

function getConfiguration(state: State, _request: ServiceRequest, name: string): Promise<Response> {
  return Promise.resolve(Response.json(configurationOf(find(state, name), state.settings)));
}

function deleteFunction(state: State, _request: ServiceRequest, name: string): Promise<Response> {
  return state.exclusive(async () => {
    find(state, name);
    await state.table.remove(name);
    state.pool.retire(name);
    await collect(state);
    return new Response(null, { status: 204 });
  });
}

function updateConfiguration(
  state: State,
  request: ServiceRequest,
  name: string,
): Promise<Response> {
  const body = bodyOf(request);
  refuseUnknown(body);
  const set = readSettable(body, (arn) => state.deps.roleExists(arn));
  return state.exclusive(async () => {
    const record = await changed(state, name, body, set);
    return Response.json(configurationOf(record, state.settings));
  });
}

function updateCode(state: State, request: ServiceRequest, name: string): Promise<Response> {
  const body = bodyOf(request);
  refuseUnknown(body);
  const dryRun = readFlag(body["DryRun"], "DryRun");
  return state.exclusive(async () => {
    const before = find(state, name);
    checkChangeable(before, functionArn(name, state.settings), state.settings.now());
    const architecture = body["Architectures"] === undefined
      ? {}
      : { architecture: readArchitecture(body["Architectures"]) };
    const set = { ...await newCode(state, body), ...architecture };
    if (dryRun) {
      await collect(state);
      const after = { ...before, current: { ...before.current, ...set } };
      return Response.json(configurationOf(after, state.settings));
    }
    const record = await changed(state, name, body, set);
    return Response.json(configurationOf(record, state.settings));
  });
}

/** Stores a function with another configuration or other code. */
async function changed(
  state: State,
  name: string,
  body: Json,
  set: Partial<Settable & FunctionVersion>,
): Promise<FunctionRecord> {
  const { settings, table } = state;
  const nowMs = settings.now();
  const before = find(state, name);
  checkChangeable(before, functionArn(name, settings), nowMs);
  const expected = body["RevisionId"];
  if (expected !== undefined && expected !== before.current.revisionId) {
    throw new ServiceError(
      412,
      "PreconditionFailedException",
      "The RevisionId provided does not match the latest RevisionId. Call the " +
        "GetFunction/GetAlias API to retrieve the latest RevisionId",
    );
  }
  const after: FunctionRecord = {
    ...before,
    previous: before.current,
    current: {
      ...before.current,
      ...set,
      revisionId: crypto.randomUUID(),
      modifiedMs: nowMs,
    },
    readyMs: nowMs + pendingMs(state),
  };
  await table.put(name, after);
  await collect(state);
  return after;
}

function putConcurrency(state: State, request: ServiceRequest, name: string): Promise<Response> {
  const wanted = bodyOf(request)["ReservedConcurrentExecutions"];
  const reserved = asInteger(wanted, "ReservedConcurrentExecutions");
  return state.exclusive(async () => {
    await state.table.put(name, { ...find(state, name), reserved });
    return Response.json({ ReservedConcurrentExecutions: reserved });
  });
}

function deleteConcurrency(
  state: State,
  _request: ServiceRequest,
  name: string,
): Promise<Response> {
  return state.exclusive(async () => {
    const { reserved: _reserved, ...record } = find(state, name);
    await state.table.put(name, record);
    return new Response(null, { status: 204 });
  });
}

function getConcurrency(state: State, _request: ServiceRequest, name: string): Promise<Response> {
  const { reserved } = find(state, name);
  return Promise.resolve(
    Response.json(reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved }),
  );
}

function getAccountSettings(state: State): Promise<Response> {
  const concurrency = state.options.accountConcurrency ?? 1000;
  const records = [...state.table.records.values()];
  const reserved = records.reduce((sum, record) => sum + (record.reserved ?? 0), 0);
  return Promise.resolve(Response.json({
    AccountLimit: {
      TotalCodeSize: 80_530_636_800,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: concurrency,
      UnreservedConcurrentExecutions: concurrency - reserved,
    },
    AccountUsage: {
      TotalCodeSize: records.reduce((sum, record) => sum + record.current.codeSize, 0),
      FunctionCount: records.length,
    },
  }));
}

function invokeFunction(state: State, request: ServiceRequest, name: string): Promise<Response> {
  const context: InvokeContext = {
    settings: state.settings,
    pool: state.pool,
    accountConcurrency: state.options.accountConcurrency,
    find: (wanted) => state.table.records.get(wanted),
    poolFunction: (record, version) => poolFunction(state, record, version),
    background: (work) => state.background(work),
  };
  return invoke(find(state, name), request, context);
}

function poolFunction(
  state: State,
  { name }: FunctionRecord,
  version: FunctionVersion,
): PoolFunction {
  return {
    name,
    revision: version.revisionId,
    timeoutMs: version.timeoutSeconds * 1000,
    start: () => start(state, name, version),
  };
}

async function start(state: State, name: string, version: FunctionVersion): Promise<Worker> {
  const { code, seal, scratch } = state;
  const release = code.hold(version.codeDigest);
  let worker: Worker;
  try {
    await checkBootstrap(`${code.folder(version.codeDigest)}/bootstrap`);
    worker = await startWorker({
      seal,
      code: code.folder(version.codeDigest),
      tmpBytes: version.tmpMb * 1_048_576,
      environment: environmentOf(state, name, version),
      scratch,
    });
  } catch (error) {
    release();
    throw error;
  }
  state.background(
    worker.exited.finally(release).then(() => {
      const used = [...state.table.records.values()].some(({ current }) =>
        current.codeDigest === version.codeDigest
      );
      return used ? undefined : state.exclusive(() => collect(state));
    }),
  );
  return worker;
}

async function checkBootstrap(path: string): Promise<void> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    if (isFile && ((mode ?? 0) & 0o111) !== 0) return;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw new StartError(
    "Runtime.InvalidEntrypoint",
    "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
  );
}

/** Lambda's variables (Developer Guide, "Defined runtime environment variables") over the function's. */
function environmentOf(
  { settings, deps }: State,
  name: string,
  version: FunctionVersion,
): Record<string, string> {
  const keys = deps.issueRoleCredentials(version.role, CREDENTIAL_SECONDS);
  const day = new Date(settings.now()).toISOString().slice(0, 10).replaceAll("-", "/");
  return {
    PATH: "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...version.environment,
    _HANDLER: version.handler,
    LAMBDA_TASK_ROOT: "/var/task",
    LAMBDA_RUNTIME_DIR: "/var/runtime",
    AWS_REGION: settings.region,
    AWS_DEFAULT_REGION: settings.region,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_SESSION_TOKEN: keys.sessionToken,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand",
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: `${day}/[$LATEST]${crypto.randomUUID().replaceAll("-", "")}`,
    // Lambda has no such variable: here it leads the runtime's requests back to this cloud.
    AWS_ENDPOINT_URL: settings.endpoint(),
  };
}
