/**
 * The front of the embedded cloud: verifies the signature of every request, finds its service by the
 * scope of the signature, answers in the service's wire form, and logs one line.
 */
import { FormatError, messageOf } from "../job/errors.ts";
import type { Credentials } from "./credentials.ts";
import { sha256Hex } from "./digests.ts";
import { jsonAuthError, renderJsonError, renderRestJsonError } from "./json_wire.ts";
import { openPayload } from "./payload.ts";
import { queryXmlAuthError, renderQueryXmlError } from "./query_xml.ts";
import { splitTarget } from "./request_target.ts";
import { renderRestXmlError, restXmlAuthError } from "./rest_xml.ts";
import type { S3Request } from "./s3_request.ts";
import {
  type CloudSettings,
  type Principal,
  type Service,
  ServiceError,
  type ServiceRequest,
} from "./service.ts";
import { readSignature, type RequestHead, type Signature, SignatureError } from "./signature.ts";
import { checkSignature, checkTime, type SigningContext, UNSIGNED_PAYLOAD } from "./sigv4.ts";

/** How a service writes requests, answers and errors. */
export type WireForm =
  | { readonly form: "rest-xml" }
  | { readonly form: "query"; readonly namespace: string }
  | { readonly form: "json" }
  | { readonly form: "rest-json" };

/** A service behind the front. */
export interface Route {
  /** Its wire form. */
  readonly wire: WireForm;
  /** Largest body in bytes. */
  readonly maxBodyBytes: number;
  /** Answers a verified request. */
  readonly service: Service;
}

/** What stands behind the front. */
export interface FrontOptions {
  /** What all services share. */
  readonly settings: CloudSettings;
  /** Who holds which key. */
  readonly credentials: Credentials;
  /** Services by their name in a signature's scope, without S3. */
  readonly routes: ReadonlyMap<string, Route>;
  /** S3, whose bodies are not read before it does. */
  readonly s3: (request: S3Request) => Promise<Response>;
  /** Ends the cloud; asked for by root at `POST /_llama/shutdown`. */
  readonly shutDown: () => void;
  /** What the cloud does at the moment; given to root at `GET /_llama/status`. */
  readonly status: () => unknown;
  /** Aborted when the cloud closes. */
  readonly closing: AbortSignal;
}

const S3_WIRE: WireForm = { form: "rest-xml" };
const CONTROL_BODY_BYTES = 1024;

/** Makes the handler of all requests. */
export function createFront(options: FrontOptions): (request: Request) => Promise<Response> {
  const { settings, credentials, routes } = options;

  interface Verified {
    readonly principal: Principal;
    readonly context: SigningContext;
  }

  function verify(head: RequestHead, signature: Signature, payloadHash: string): Verified {
    const holder = credentials.find(signature.accessKeyId, signature.sessionToken);
    if (signature.region !== settings.region) {
      throw new SignatureError(
        "wrongRegion",
        signature.service === "s3"
          ? `The authorization header is malformed; the region '${signature.region}' is wrong; expecting '${settings.region}'`
          : `Credential should be scoped to a valid region, not '${signature.region}'. `,
      );
    }
    checkTime(signature, settings.now());
    return {
      principal: holder.principal,
      context: checkSignature(head, signature, payloadHash, holder.secretAccessKey),
    };
  }

  async function handleS3(
    request: Request,
    head: RequestHead,
    signature: Signature,
    call: CallParts,
  ): Promise<Response> {
    const stated = request.headers.get("x-amz-content-sha256");
    if (stated === null && signature.expiresSeconds === undefined) {
      throw new ServiceError(
        400,
        "InvalidRequest",
        "Missing required header for this request: x-amz-content-sha256",
      );
    }
    const { principal, context } = verify(head, signature, stated ?? UNSIGNED_PAYLOAD);
    const payload = openPayload(request.body, request.headers, context);
    return await options.s3(withSignal({ ...call, principal, payload }, request, options.closing));
  }

  async function handleOther(
    request: Request,
    head: RequestHead,
    signature: Signature,
    call: CallParts,
    maxBodyBytes: number,
    service: Service,
  ): Promise<Response> {
    // An unknown key is refused before its body is read.
    credentials.find(signature.accessKeyId, signature.sessionToken);
    const body = await readBody(request, maxBodyBytes);
    const hash = sha256Hex(body);
    const stated = request.headers.get("x-amz-content-sha256");
    if (stated !== null && stated !== hash) {
      throw new SignatureError("bodyMismatch", "The body does not have the digest that was signed");
    }
    const { principal } = verify(head, signature, hash);
    return await service(withSignal({ ...call, principal, body }, request, options.closing));
  }

  /** What only root may ask of the cloud itself. */
  function controlOf({ method, path }: CallParts): Service | undefined {
    const answer = method === "POST" && path === "/_llama/shutdown"
      ? () => {
        options.shutDown();
        return { status: "closing", pid: Deno.pid };
      }
      : method === "GET" && path === "/_llama/status"
      ? options.status
      : undefined;
    return answer && (({ principal }) => {
      if (principal.root) return Promise.resolve(Response.json(answer()));
      const error = new ServiceError(403, "AccessDeniedException", "Only root may ask for this");
      return Promise.reject(error);
    });
  }

  async function dispatch(request: Request, call: CallParts, head: RequestHead): Promise<Answer> {
    let wire = guessWire(head, routes);
    try {
      if (call.path === "/_llama/health" && request.method === "GET") {
        return { wire, response: Response.json({ status: "ok", pid: Deno.pid }) };
      }
      const signature = readSignature(head);
      const control = controlOf(call);
      if (control !== undefined) {
        wire = { form: "rest-json" };
        const bytes = CONTROL_BODY_BYTES;
        return {
          wire,
          response: await handleOther(request, head, signature, call, bytes, control),
        };
      }
      if (signature.service === "s3") {
        wire = S3_WIRE;
        return { wire, response: await handleS3(request, head, signature, call) };
      }
      const route = routes.get(signature.service);
      if (route === undefined) {
        throw new SignatureError(
          "mismatch",
          `Credential should be scoped to a service that is here, not '${signature.service}'`,
        );
      }
      wire = route.wire;
      const { maxBodyBytes, service } = route;
      return {
        wire,
        response: await handleOther(request, head, signature, call, maxBodyBytes, service),
      };
    } catch (error) {
      return { wire, response: renderError(error, wire, call), error };
    }
  }

  function renderError(error: unknown, wire: WireForm, call: CallParts): Response {
    const known = error instanceof SignatureError
      ? authError(error, wire)
      : asServiceError(error, wire);
    switch (wire.form) {
      case "rest-xml":
        return renderRestXmlError(known, call.requestId, call.method);
      case "query":
        return renderQueryXmlError(known, call.requestId, wire.namespace);
      case "json":
        return renderJsonError(known);
      case "rest-json":
        return renderRestJsonError(known);
    }
  }

  return async (request) => {
    const startedMs = settings.now();
    const { path, query } = splitTarget(request.url);
    const head: RequestHead = { method: request.method, path, query, headers: request.headers };
    const call: CallParts = {
      method: request.method,
      path,
      query: new URLSearchParams(query),
      headers: request.headers,
      requestId: crypto.randomUUID(),
    };
    const { wire, response, error } = await dispatch(request, call, head);
    if (wire.form === "rest-xml") {
      response.headers.set("x-amz-request-id", call.requestId);
      response.headers.set("x-amz-id-2", call.requestId);
    } else response.headers.set("x-amzn-requestid", call.requestId);
    // The query may hold a signature that is still good, so it is not logged.
    const line = `${new Date(startedMs).toISOString()} ${request.method} ${path} ` +
      `${response.status} ${settings.now() - startedMs}ms ${call.requestId}`;
    settings.log(error === undefined ? line : `${line} ${describeError(error, response.status)}`);
    return response;
  };
}

type CallParts = Omit<ServiceRequest, "principal" | "body" | "signal">;

interface Answer {
  readonly wire: WireForm;
  readonly response: Response;
  readonly error?: unknown;
}

function describeError(error: unknown, status: number): string {
  const text = error instanceof Error && status >= 500 ? error.stack ?? "" : messageOf(error);
  const code = error instanceof ServiceError
    ? error.code
    : error instanceof SignatureError
    ? error.problem
    : "";
  return `${code} ${text}`.trim().replaceAll(/\s+/g, " ");
}

/** Adds the signal; the request's own is asked for only by services that use it. */
function withSignal<T>(
  call: T,
  request: Request,
  closing: AbortSignal,
): T & { readonly signal: AbortSignal } {
  let signal: AbortSignal | undefined;
  return Object.defineProperty(Object.assign({}, call, { signal: closing }), "signal", {
    get: () => signal ??= AbortSignal.any([closing, request.signal]),
  });
}

/** The wire form of a request whose signature does not tell: by what only one of them sends. */
function guessWire(head: RequestHead, routes: ReadonlyMap<string, Route>): WireForm {
  for (const [name, value] of head.headers) {
    if (name === "x-amz-target") return { form: "json" };
    if (name === "content-type" && value.startsWith("application/x-www-form-urlencoded")) {
      return routes.get("sts")?.wire ?? S3_WIRE;
    }
  }
  return /^\/\d{4}-\d{2}-\d{2}\//.test(head.path) ? { form: "rest-json" } : S3_WIRE;
}

function authError(error: SignatureError, wire: WireForm): ServiceError {
  switch (wire.form) {
    case "rest-xml":
      return restXmlAuthError(error);
    case "query":
      return queryXmlAuthError(error);
    case "json":
    case "rest-json":
      return jsonAuthError(error);
  }
}

/** What each wire form calls a request that cannot be read, and a fault of our own. */
const FAULTS: Readonly<Record<WireForm["form"], readonly [unreadable: string, fault: string]>> = {
  "rest-xml": ["InvalidRequest", "InternalError"],
  query: ["ValidationError", "InternalFailure"],
  json: ["SerializationException", "ServerException"],
  "rest-json": ["InvalidRequestContentException", "ServiceException"],
};

function asServiceError(error: unknown, { form }: WireForm): ServiceError {
  if (error instanceof ServiceError) return error;
  const [unreadable, fault] = FAULTS[form];
  return error instanceof FormatError
    ? new ServiceError(400, unreadable, error.message, { cause: error })
    : new ServiceError(
      500,
      fault,
      "We encountered an internal error. Please try again.",
      { cause: error },
    );
}

async function readBody(request: Request, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const tooLarge = (): ServiceError =>
    new ServiceError(
      413,
      "RequestEntityTooLargeException",
      `Request must be smaller than ${maxBytes} bytes`,
    );
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge();
    parts.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
