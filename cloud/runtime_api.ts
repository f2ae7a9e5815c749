/**
 * The Lambda Runtime API, version 2018-06-01, for one worker.
 *
 * Lambda gives each worker a link of its own, and a runtime does not say who it is: so each worker
 * gets a listener of its own on a free port of the loopback. States and answers are those of
 * "Using the Lambda runtime API" in the Lambda Developer Guide: `next` waits for work, `response`
 * and `error` end it, and what comes out of turn is answered with 403. The server is node's, as Deno's own does
 * not show the trailers of a streamed response.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { messageOf } from "../job/errors.ts";
import {
  isStreamed,
  keptOutcome,
  type Outcome,
  readBody,
  streamedOutcome,
  type TakeChunk,
} from "./runtime_response.ts";

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

/** What a request is answered with. */
interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** Starts the Runtime API of one worker on a free port of 127.0.0.1. */
export async function startRuntimeApi(): Promise<RuntimeApi> {
  let polling: ((reply: Reply) => void) | undefined;
  let running: Running | undefined;
  let readiness: Readiness | undefined;
  let waiting: ((readiness: Readiness) => void)[] = [];

  function tell(value: Readiness): void {
    readiness = value;
    for (const resolve of waiting.splice(0)) resolve(value);
  }

  function next(): Promise<Reply> {
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

  async function initError(request: IncomingMessage): Promise<Reply> {
    const payload = await readBody(request);
    if (readiness !== undefined) return wrongState("init/error");
    tell({ kind: "initError", payload: payload ?? new Uint8Array() });
    return accepted();
  }

  async function end(
    request: IncomingMessage,
    id: string,
    kind: "response" | "error",
  ): Promise<Reply> {
    const before = running;
    if (before === undefined) return wrongState(kind);
    if (before.invocation.requestId !== id) {
      return problem(400, "InvalidRequestID", "Invalid request ID");
    }
    const isStream = kind === "response" && isStreamed(request);
    const outcome = isStream
      ? await streamedOutcome(request, before.take)
      : await keptOutcome(request, kind);
    if (running !== before) return wrongState(kind);
    running = undefined;
    before.end(outcome);
    if (outcome.kind !== "oversize") return accepted();
    const message = `Exceeded maximum allowed payload size (${outcome.maxBytes} bytes).`;
    return problem(413, "RequestEntityTooLarge", message);
  }

  async function answer(request: IncomingMessage): Promise<Reply> {
    const { method, url = "" } = request;
    const [path = ""] = url.split("?", 1);
    const route = /^\/2018-06-01\/runtime\/(.*)$/.exec(path)?.[1] ?? "";
    if (method === "GET" && route === "invocation/next") return await next();
    if (method === "POST" && route === "init/error") return await initError(request);
    const [, id, kind] = /^invocation\/([^/]+)\/(response|error)$/.exec(route) ?? [];
    if (method === "POST" && id !== undefined) {
      return await end(request, id, kind === "error" ? "error" : "response");
    }
    return problem(404, "NotFound", `There is no '${method} ${path}' in the runtime API`);
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let reply: Reply;
    try {
      reply = await answer(request);
    } catch (error) {
      // A connection that broke gets no answer, and one that did not is told.
      reply = problem(500, "InternalError", messageOf(error));
    }
    const body = typeof reply.body === "string" ? new TextEncoder().encode(reply.body) : reply.body;
    response.writeHead(reply.status, { ...reply.headers, "content-length": body.length });
    response.end(body);
  }

  // A runtime may wait for work for hours, and stream for as long as the function may run.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0 }, serve);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;

  return {
    address: `127.0.0.1:${port}`,
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
        reply({ status: 200, headers: headersOf(invocation), body: invocation.payload });
      });
    },
    async close() {
      waiting = [];
      polling?.(problem(500, "Closed", "The worker ends"));
      polling = undefined;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

function headersOf(invocation: Invocation): Record<string, string> {
  return {
    "content-type": "application/json",
    "lambda-runtime-aws-request-id": invocation.requestId,
    "lambda-runtime-deadline-ms": String(Math.round(invocation.deadlineMs)),
    "lambda-runtime-invoked-function-arn": invocation.functionArn,
    "lambda-runtime-trace-id": invocation.traceId,
    ...(invocation.clientContext !== undefined && {
      "lambda-runtime-client-context": invocation.clientContext,
    }),
  };
}

function accepted(): Reply {
  return json(202, { status: "OK" });
}

function wrongState(what: string): Reply {
  return problem(403, "InvalidStateTransition", `State transition from this state by '${what}'`);
}

function problem(status: number, errorType: string, errorMessage: string): Reply {
  return json(status, { errorType, errorMessage });
}

function json(status: number, value: unknown): Reply {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value),
  };
}
