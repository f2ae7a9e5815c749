/**
 * A service for the tests: it checks each signature by the rules of
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html from what
 * came over the wire, keeps what it saw, and answers as it is told.
 */
import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AwsAccount } from "./account.ts";

/** A request as it came. */
export interface StubRequest {
  /** HTTP method. */
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  /** Headers, names in lower case. */
  readonly headers: Headers;
  /** The whole body. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** Service that the signature is for. */
  readonly service: string;
  /** Names of the headers that are signed. */
  readonly signedHeaders: readonly string[];
}

/** What the service does with a request: an answer, or a connection that breaks before or in it. */
export type StubAnswer =
  | "reset"
  | "cut off"
  | {
    readonly status?: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array;
  };

/** A running service. */
export interface Stub {
  /** An account whose endpoint is the service. */
  readonly account: AwsAccount;
  /** The requests so far. */
  readonly seen: readonly StubRequest[];
  /** Connections so far. */
  readonly connections: () => number;
}

/** Keys of the stub's account. */
export const STUB_KEYS = {
  accessKeyId: "AKIDSTUB",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "token/with+characters=",
} as const;

/** Runs `act` against a service that answers with `handle`. */
export async function withStub(
  handle: (request: StubRequest) => StubAnswer | Promise<StubAnswer>,
  act: (stub: Stub) => Promise<void>,
): Promise<void> {
  const seen: StubRequest[] = [];
  let connections = 0;
  const server = createServer(async (incoming, outgoing) => {
    const request = checkSignature(incoming, await bodyOf(incoming));
    const answer: StubAnswer = typeof request === "string"
      ? {
        status: 403,
        body: `<Error><Code>SignatureDoesNotMatch</Code><Message>${request}</Message></Error>`,
      }
      : (seen.push(request), await handle(request));
    if (answer === "reset") {
      incoming.socket.destroy();
    } else if (answer === "cut off") {
      outgoing.writeHead(200, { "content-length": "1000" });
      outgoing.write("only this", () => incoming.socket.destroy());
    } else {
      const { status = 200, headers = {}, body = "" } = answer;
      const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
      outgoing.writeHead(status, {
        ...(incoming.method !== "HEAD" && { "content-length": String(bytes.length) }),
        ...headers,
      });
      outgoing.end(bytes);
    }
  });
  server.on("connection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const source = { region: "stub", credentials: "stub", endpoint: "stub" };
  try {
    await act({
      account: {
        kind: "aws",
        region: "eu-west-1",
        credentials: () => Promise.resolve(STUB_KEYS),
        endpoint: () => `http://127.0.0.1:${port}`,
        source,
      },
      seen,
      connections: () => connections,
    });
  } finally {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

async function bodyOf(incoming: IncomingMessage): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(Uint8Array.from(chunk));
  const body = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const chunk of chunks) {
    body.set(chunk, position);
    position += chunk.length;
  }
  return body;
}

function checkSignature(
  incoming: IncomingMessage,
  body: Uint8Array<ArrayBuffer>,
): StubRequest | string {
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  const parts =
    /^AWS4-HMAC-SHA256 Credential=AKIDSTUB\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/
      .exec(headers.get("authorization") ?? "");
  const [, day = "", region = "", service = "", names = "", signature = ""] = parts ?? [];
  if (parts === null) return "no signature";
  const { method = "", url: target = "" } = incoming;
  const [path = "", search = ""] = target.split("?", 2);
  const stated = headers.get("x-amz-content-sha256");
  const actual = createHash("sha256").update(body).digest("hex");
  if (stated !== null && stated !== "UNSIGNED-PAYLOAD" && stated !== actual) {
    return "the body does not match its hash";
  }
  const canonical = [
    method,
    service === "s3" ? strictly(decodeURIComponent(path)) : strictly(path),
    search.split("&").filter((pair) => pair !== "").map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), pair.slice(at + 1)].map((part) =>
        strictly(decodeURIComponent(part)).replaceAll("/", "%2F")
      );
    }).sort(([a = "", b = ""], [c = "", d = ""]) => a < c || a === c && b < d ? -1 : 1)
      .map((pair) => pair.join("=")).join("&"),
    ...names.split(";").map((name) => `${name}:${headers.get(name)?.replace(/ +/g, " ")}`),
    "",
    names,
    stated ?? actual,
  ].join("\n");
  const hmac = (key: string | Uint8Array, text: string) =>
    createHmac("sha256", key).update(text).digest();
  const key = [day, region, service, "aws4_request"].reduce<string | Uint8Array>(
    hmac,
    `AWS4${STUB_KEYS.secretAccessKey}`,
  );
  const text = [
    "AWS4-HMAC-SHA256",
    headers.get("x-amz-date"),
    `${day}/${region}/${service}/aws4_request`,
    createHash("sha256").update(canonical).digest("hex"),
  ].join("\n");
  if (hmac(key, text).toString("hex") !== signature) return `signed otherwise: ${canonical}`;
  return { method, target, headers, body, service, signedHeaders: names.split(";") };
}

function strictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  ).replaceAll("%2F", "/");
}
