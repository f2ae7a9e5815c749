/** Runs the embedded cloud: one process, one port on loopback, state in one folder. */
import { LlamaError, messageOf } from "../job/errors.ts";
import { type Cloudformation, openCloudformation } from "./cloudformation.ts";
import { loadKeys, openCredentials } from "./credentials.ts";
import { openRepositories } from "./ecr_repositories.ts";
import { createFront, type Route } from "./front.ts";
import { openRoles } from "./iam_roles.ts";
import { type LambdaOptions, openLambda } from "./lambda.ts";
import { createAuthorizer } from "./policy.ts";
import { openS3 } from "./s3.ts";
import type { CloudSettings } from "./service.ts";
import { readIfThere, removeIfThere, writeDurably } from "./state.ts";
import { sts, STS_NAMESPACE } from "./sts.ts";

const LOOPBACK = "127.0.0.1";
/** Lambda's limit of a request, which CreateFunction with a zip reaches: 70,167,211 bytes. */
const LAMBDA_BODY_BYTES = 70_167_211;
const QUERY_BODY_BYTES = 1024 * 1024;
/** How long requests in flight have to end when the cloud closes. */
const GRACE_MS = 5000;

export type { LambdaOptions } from "./lambda.ts";

/** What the embedded cloud is started with. */
export interface ServeOptions {
  /** Folder of its state, made if it is not there: `LLAMA_DIR/cloud`. */
  readonly directory: string;
  /** The region that it speaks for, `us-east-1` by default. */
  readonly region?: string;
  /** Jobs at once, `navigator.hardwareConcurrency` by default. */
  readonly concurrency?: number;
  /** Ends when no request came for so long, in milliseconds; never by default. */
  readonly idleMs?: number;
  /** Takes each line of the log; nothing is logged by default. */
  readonly log?: (line: string) => void;
  /** Settings of the embedded Lambda, such as AWS's own limits of concurrency. */
  readonly lambda?: LambdaOptions;
  /** Milliseconds since the epoch, `Date.now` by default. */
  readonly now?: () => number;
}

/** A running embedded cloud. */
export interface RunningCloud {
  /** Base URL, `http://127.0.0.1:PORT`. */
  readonly endpoint: string;
  /** Resolves when it has ended, by {@linkcode RunningCloud.close}, by request or by idleness. */
  readonly finished: Promise<void>;
  /** Lets requests in flight end, for five seconds at most, and ends. */
  close(): Promise<void>;
}

/** What `endpoint.json` holds: all that a client of this machine and user needs. */
export interface EndpointFile {
  /** Version of the file's form. */
  readonly version: 1;
  /** The process. */
  readonly pid: number;
  /** The port on 127.0.0.1. */
  readonly port: number;
  /** The region. */
  readonly region: string;
  /** The account, 12 digits. */
  readonly accountId: string;
  /** Root's access key. */
  readonly accessKeyId: string;
  /** Root's secret key. */
  readonly secretAccessKey: string;
}

/**
 * Starts the embedded cloud; when the promise resolves, `endpoint.json` is written and it answers.
 *
 * @throws {LlamaError} `CloudRunning` if another process runs it on the same folder.
 */
export async function serveCloud(options: ServeOptions): Promise<RunningCloud> {
  const { directory, region = "us-east-1", now = Date.now, log = () => {} } = options;
  const accountId = "000000000000";
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = await takeLock(`${directory}/lock`);
  await using undo = new AsyncDisposableStack();
  undo.defer(() => lock.close());
  // What an earlier process left says nothing of this one.
  await removeIfThere(`${directory}/endpoint.json`);

  let endpoint = "";
  const settings: CloudSettings = {
    directory,
    region,
    accountId,
    endpoint: () => endpoint,
    now,
    log,
    concurrency: options.concurrency ?? navigator.hardwareConcurrency,
  };
  const keys = await loadKeys(`${directory}/keys.json`);
  const credentials = openCredentials(keys, accountId, now);
  const roles = await openRoles(`${directory}/iam`, accountId);
  const authorizer = createAuthorizer(roles.statementsOf);
  const s3 = await openS3(settings, authorizer);
  const repositories = await openRepositories(`${directory}/ecr`);
  const cloudformation: Cloudformation = await openCloudformation(settings, {
    s3,
    roles,
    repositories,
    authorizer,
  });
  undo.defer(() => cloudformation.close());
  const lambda = await openLambda(settings, {
    readObject: s3.readObject,
    issueRoleCredentials: credentials.issueRoleCredentials,
    roleExists: roles.exists,
    repositoryExists: (name) => repositories.records.has(name),
    authorizer,
  }, options.lambda);
  undo.defer(() => lambda.close());
  const routes = new Map<string, Route>([
    ["sts", {
      wire: { form: "query", namespace: STS_NAMESPACE },
      maxBodyBytes: QUERY_BODY_BYTES,
      service: sts,
    }],
    ["cloudformation", {
      wire: { form: "query", namespace: cloudformation.namespace },
      maxBodyBytes: QUERY_BODY_BYTES,
      service: cloudformation.service,
    }],
    ["lambda", {
      wire: { form: "rest-json" },
      maxBodyBytes: LAMBDA_BODY_BYTES,
      service: lambda.service,
    }],
  ]);

  const closing = new AbortController();
  const asked = Promise.withResolvers<void>();
  const front = createFront({
    settings,
    credentials,
    routes,
    s3: s3.handle,
    shutDown: () => asked.resolve(),
    status: () => ({
      pid: Deno.pid,
      endpoint,
      region,
      buckets: s3.buckets.records.size,
      lambda: lambda.status(),
    }),
    closing: closing.signal,
  });
  const idle = watchIdle(options.idleMs, () => asked.resolve());
  undo.defer(() => idle.stop());
  const server = await listen(directory, async (request) => {
    using _busy = idle.busy();
    return await front(request);
  }, log);
  const { port } = server.addr;
  endpoint = `http://${LOOPBACK}:${port}`;

  const file: EndpointFile = {
    version: 1,
    pid: Deno.pid,
    port,
    region,
    accountId,
    accessKeyId: keys.accessKeyId,
    secretAccessKey: keys.secretAccessKey,
  };
  await writeDurably(`${directory}/port`, new TextEncoder().encode(`${port}\n`));
  await writeDurably(
    `${directory}/endpoint.json`,
    new TextEncoder().encode(JSON.stringify(file)),
  );

  const rest = undo.move();
  async function end(): Promise<void> {
    await asked.promise;
    await using _rest = rest;
    const grace = setTimeout(() => closing.abort(), GRACE_MS);
    await server.shutdown();
    clearTimeout(grace);
    closing.abort();
    await removeIfThere(`${directory}/endpoint.json`);
  }
  const finished = end();
  return {
    endpoint,
    finished,
    close() {
      asked.resolve();
      return finished;
    },
  };
}

async function takeLock(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { create: true, write: true, mode: 0o600 });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new LlamaError(
    "CloudRunning",
    `Cannot start the embedded cloud as another process holds '${path}'`,
    { hint: "Use the one that runs, or stop it with 'llama cloud -stop'" },
  );
}

async function listen(
  directory: string,
  handler: (request: Request) => Promise<Response>,
  log: (line: string) => void,
): Promise<Deno.HttpServer<Deno.NetAddr>> {
  function serveOn(port: number): Deno.HttpServer<Deno.NetAddr> {
    return Deno.serve({
      hostname: LOOPBACK,
      port,
      onListen: () => {},
      onError(error) {
        log(`The front failed: ${messageOf(error)}`);
        return new Response(null, { status: 500 });
      },
    }, handler);
  }
  const saved = await readIfThere(`${directory}/port`);
  const port = saved === undefined ? 0 : Number(new TextDecoder().decode(saved));
  if (Number.isInteger(port) && port > 0 && port < 65536) {
    try {
      return serveOn(port);
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      log(`Port ${port} is taken by another process: another one is used`);
    }
  }
  return serveOn(0);
}

interface IdleWatch {
  /** Marks a request in flight until it is disposed of. */
  busy(): Disposable;
  /** Watches no longer. */
  stop(): void;
}

function watchIdle(idleMs: number | undefined, act: () => void): IdleWatch {
  let inFlight = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  function arm(): void {
    clearTimeout(timer);
    timer = idleMs === undefined || inFlight > 0 ? undefined : setTimeout(act, idleMs);
  }
  arm();
  return {
    busy() {
      inFlight++;
      arm();
      return {
        [Symbol.dispose]() {
          inFlight--;
          arm();
        },
      };
    },
    stop: () => clearTimeout(timer),
  };
}
