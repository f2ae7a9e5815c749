/** A whole embedded cloud for tests, spoken to over HTTP with signatures that aws4fetch makes. */
import { AwsClient } from "aws4fetch";
import { type EndpointFile, serveCloud, type ServeOptions } from "./serve.ts";

/** Keys that sign a request. */
export interface FixtureKeys {
  /** Access key. */
  readonly accessKeyId: string;
  /** Secret key. */
  readonly secretAccessKey: string;
  /** Token of a role session. */
  readonly sessionToken?: string;
}

/** A request to send. */
export interface FixtureRequest {
  /** HTTP method, GET by default. */
  readonly method?: string;
  /** Headers. */
  readonly headers?: Record<string, string>;
  /** Body. */
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Who signs, root by default. */
  readonly keys?: FixtureKeys;
  /** Region of the signature, `us-east-1` by default. */
  readonly region?: string;
  /** Time of the signature, `YYYYMMDDTHHMMSSZ`, now by default. */
  readonly datetime?: string;
}

/** An answer, read whole. */
export interface FixtureAnswer {
  /** HTTP status. */
  readonly status: number;
  /** Headers. */
  readonly headers: Headers;
  /** Body as text. */
  readonly text: string;
  /** The error's name: of S3 and query services in `Code`, of JSON services in a header. */
  readonly code: string | undefined;
  /** The text of each element of that name. */
  all(name: string): string[];
}

/** A running cloud. */
export interface CloudFixture {
  /** Its folder. */
  readonly directory: string;
  /** What its `endpoint.json` holds. */
  readonly endpoint: EndpointFile;
  /** Sends a signed request to S3: `/bucket/key?query`. */
  s3(target: string, request?: FixtureRequest): Promise<FixtureAnswer>;
  /** Calls a query service. */
  query(
    service: string,
    action: string,
    parameters?: Record<string, string>,
    request?: FixtureRequest,
  ): Promise<FixtureAnswer>;
  /** Sends a signed request to any service. */
  send(service: string, target: string, request?: FixtureRequest): Promise<FixtureAnswer>;
}

/** Reads `endpoint.json` of a cloud that this test has started. */
export async function readEndpoint(directory: string): Promise<EndpointFile> {
  const file: EndpointFile = JSON.parse(await Deno.readTextFile(`${directory}/endpoint.json`));
  return file;
}

/** Reads an answer whole. */
export async function readAnswer(response: Response): Promise<FixtureAnswer> {
  const text = await response.text();
  const all = (name: string): string[] =>
    [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))]
      .map(([, content = ""]) =>
        content.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&gt;", ">")
          .replaceAll("&amp;", "&")
      );
  return {
    status: response.status,
    headers: response.headers,
    text,
    code: response.headers.get("x-amzn-errortype") ?? all("Code")[0],
    all,
  };
}

/** The way to speak to a cloud that runs, in this process or in another. */
export function speakTo(directory: string, endpoint: EndpointFile): CloudFixture {
  async function send(
    service: string,
    target: string,
    request: FixtureRequest = {},
  ): Promise<FixtureAnswer> {
    const { keys = endpoint, region = endpoint.region, datetime } = request;
    const client = new AwsClient({
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ..."sessionToken" in keys && keys.sessionToken !== undefined
        ? { sessionToken: keys.sessionToken }
        : {},
      service,
      region,
      retries: 0,
    });
    const response = await client.fetch(`http://127.0.0.1:${endpoint.port}${target}`, {
      method: request.method ?? "GET",
      headers: request.headers ?? {},
      ...request.body === undefined ? {} : { body: request.body },
      ...datetime === undefined ? {} : { aws: { datetime } },
    });
    return await readAnswer(response);
  }
  return {
    directory,
    endpoint,
    send,
    s3: (target, request) => send("s3", target, request),
    query: (service, action, parameters = {}, request = {}) =>
      send(service, "/", {
        ...request,
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded; charset=utf-8" },
        body: new URLSearchParams({ Action: action, ...parameters }).toString(),
      }),
  };
}

/** Options of a cloud whose functions do not matter: to find out how to seal workers takes long. */
export const UNSEALED: Partial<ServeOptions> = { lambda: { ways: [] } };

/** Runs a test with a cloud in a folder of its own. */
export async function withCloud(
  test: (cloud: CloudFixture) => Promise<void>,
  options: Partial<ServeOptions> = {},
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const cloud = await serveCloud({ directory, ...UNSEALED, ...options });
    try {
      await test(speakTo(directory, await readEndpoint(directory)));
    } finally {
      await cloud.close();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
