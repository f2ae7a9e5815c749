/**
 * The Lambda Runtime API, version 2018-06-01, for one worker.
 *
 * Lambda gives each worker a link of its own, and a runtime does not say who it is: so each worker
 * gets a listener of its own on a free port of the loopback. States and answers are those of
 * "Using the Lambda runtime API" in the Lambda Developer Guide: `next` waits for work, `response`
 * and `error` end it, and what comes out of turn is answered with 403.
 */

/** Most bytes of a response, and of an error: 6 MiB and 100 bytes. */
export const MAX_RESPONSE_BYTES = 6_291_556;
/** Most bytes of a streamed response: 200 MB (Lambda quotas, "Invocation payload"). */
export const MAX_STREAM_BYTES = 200_000_000;

/** Takes what a runtime streams, as it comes; the runtime waits while it does. */
export type TakeChunk = (chunk: Uint8Array<ArrayBuffer>) => Promise<void>;

/** One piece of work for the runtime. */
export interface Invocation {
  /** Id of the request. */
  readonly requestId: string;
  /** When it times out, in milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** ARN of the function as it was called. */
  readonly functionArn: string;
  /** X-Ray trace header. */
  readonly traceId: string;
  /** Base64 text of the caller's client context. */
  readonly clientContext?: string;
  /** The event, JSON. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** How the runtime ended an invocation. */
export type Outcome =
  /** It answered. */
  | { readonly kind: "response"; readonly payload: Uint8Array<ArrayBuffer> }
  /** It answered, and all of it has been taken. */
  | { readonly kind: "streamed" }
  /** It reported an error; the payload is the error's JSON. */
  | { readonly kind: "error"; readonly payload: Uint8Array<ArrayBuffer> }
  /** It answered with more than {@linkcode MAX_RESPONSE_BYTES}, or {@linkcode MAX_STREAM_BYTES}. */
  | { readonly kind: "oversize" };

/** What comes first of a runtime that starts or goes on: a call of `next` or of `init/error`. */
export type Readiness =
  /** It waits for work. */
  | { readonly kind: "ready" }
  /** It cannot start; the payload is the error's JSON. */
  | { readonly kind: "initError"; readonly payload: Uint8Array<ArrayBuffer> };

/** The Runtime API of one worker. */
export interface RuntimeApi {
  /** Value of AWS_LAMBDA_RUNTIME_API: `127.0.0.1:PORT`. */
  readonly address: string;
  /** Resolves when the runtime next waits for work, at once if it does. */
  ready(): Promise<Readiness>;
  /**
   * Hands work to the waiting runtime; call it after {@linkcode RuntimeApi.ready} only. A response in streaming mode
   * goes to `take`; without it, and in the other mode, it is kept.
   */
  run(invocation: Invocation, take?: TakeChunk): Promise<Outcome>;
  /** Closes the listener and its connections. */
  close(): Promise<void>;
}

interface Running {
  readonly invocation: Invocation;
  readonly end: (outcome: Outcome) => void;
  readonly take: TakeChunk | undefined;
}

/** Starts the Runtime API of one worker on a free port of 127.0.0.1. */
export function startRuntimeApi(): RuntimeApi {
  let polling: ((response: Response) => void) | undefined;
  let running: Running | undefined;
  let readiness: Readiness | undefined;
  let waiting: ((readiness: Readiness) => void)[] = [];

  function tell(value: Readiness): void {
    readiness = value;
    for (const resolve of waiting.splice(0)) resolve(value);
  }

  function next(): Promise<Response> {
    if (running !== undefined || readiness?.kind === "initError") {
      return Promise.resolve(wrongState("next"));
    }
    // A runtime that asks again has lost its first connection, and only the last is answered.
    polling?.(problem(410, "Gone", "Another call of next has taken the place of this one"));
    return new Promise((resolve) => {
      polling = resolve;
      tell({ kind: "ready" });
    });
  }

  async function initError(request: Request): Promise<Response> {
    const payload = await readBody(request);
    if (readiness !== undefined) return wrongState("init/error");
    tell({ kind: "initError", payload: payload ?? new Uint8Array() });
    return accepted();
  }

  async function end(request: Request, id: string, kind: "response" | "error"): Promise<Response> {
    const before = running;
    if (before === undefined) return wrongState(kind);
    if (before.invocation.requestId !== id) {
      return problem(400, "InvalidRequestID", "Invalid request ID");
    }
    // Errors in the middle of a stream come as trailers, which Deno's server does not show: such a response
    // looks like one that ended well.
    const isStream = kind === "response" && request.headers.get(MODE) === "streaming";
    const take = isStream ? before.take : undefined;
    const payload = take === undefined ? await readBody(request) : await passOn(request, take);
    if (running !== before) return wrongState(kind);
    running = undefined;
    if (payload === undefined) {
      before.end({ kind: "oversize" });
      const most = take === undefined ? MAX_RESPONSE_BYTES : MAX_STREAM_BYTES;
      const message = `Exceeded maximum allowed payload size (${most} bytes).`;
      return problem(413, "RequestEntityTooLarge", message);
    }
    before.end(payload === "passed on" ? { kind: "streamed" } : { kind, payload });
    return accepted();
  }

  async function answer(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname;
    const route = /^\/2018-06-01\/runtime\/(.*)$/.exec(path)?.[1] ?? "";
    if (request.method === "GET" && route === "invocation/next") return await next();
    if (request.method === "POST" && route === "init/error") return await initError(request);
    const [, id, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(route) ?? [];
    if (request.method === "POST" && id !== undefined) {
      return await end(request, id, kind === "error" ? "error" : "response");
    }
    return problem(404, "NotFound", `There is no '${request.method} ${path}' in the runtime API`);
  }

  const stop = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stop.signal,
    onListen: () => {},
    onError: (error) => problem(500, "InternalError", String(error)),
  }, answer);

  return {
    address: `127.0.0.1:${server.addr.port}`,
    ready() {
      if (readiness !== undefined) return Promise.resolve(readiness);
      return new Promise((resolve) => waiting.push(resolve));
    },
    run(invocation, take) {
      const reply = polling;
      if (reply === undefined) throw new TypeError("The runtime does not wait for work");
      polling = undefined;
      readiness = undefined;
      return new Promise((resolve) => {
        running = { invocation, end: resolve, take };
        reply(new Response(invocation.payload, { headers: headersOf(invocation) }));
      });
    },
    async close() {
      waiting = [];
      polling?.(problem(500, "Closed", "The worker ends"));
      polling = undefined;
      stop.abort();
      await server.finished;
    },
  };
}

function headersOf(invocation: Invocation): Headers {
  const headers = new Headers({
    "content-type": "application/json",
    "lambda-runtime-aws-request-id": invocation.requestId,
    "lambda-runtime-deadline-ms": String(Math.round(invocation.deadlineMs)),
    "lambda-runtime-invoked-function-arn": invocation.functionArn,
    "lambda-runtime-trace-id": invocation.traceId,
  });
  if (invocation.clientContext !== undefined) {
    headers.set("lambda-runtime-client-context", invocation.clientContext);
  }
  return headers;
}

/** Header of a response that is streamed (Developer Guide, "Response streaming in custom runtimes"). */
const MODE = "lambda-runtime-function-response-mode";

/** Passes a body on, undefined if it is larger than allowed. */
async function passOn(request: Request, take: TakeChunk): Promise<"passed on" | undefined> {
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size > MAX_STREAM_BYTES) return undefined;
    await take(chunk);
  }
  return "passed on";
}

/** Reads a body, undefined if it is larger than allowed; a larger one is read to its end. */
async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.length;
    if (size <= MAX_RESPONSE_BYTES) chunks.push(chunk);
  }
  if (size > MAX_RESPONSE_BYTES) return undefined;
  const body = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

function accepted(): Response {
  return Response.json({ status: "OK" }, { status: 202 });
}

function wrongState(what: string): Response {
  return problem(403, "InvalidStateTransition", `State transition from this state by '${what}'`);
}

function problem(status: number, errorType: string, errorMessage: string): Response {
  return Response.json({ errorType, errorMessage }, { status });
}
