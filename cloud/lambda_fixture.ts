/** A function for tests: bash that speaks the Runtime API, and a cloud of Lambda alone. */
import { BlobWriter, TextReader, ZipWriter } from "@zip.js/zip.js";
import { type Lambda, type LambdaOptions, openLambda } from "./lambda.ts";
import { type CloudSettings, ServiceError, type ServiceRequest } from "./service.ts";

/**
 * Its event is a JSON string, a script without quotes and backslashes that it runs in its own shell;
 * what the script writes is the response, or the error if it sets `kind` to `error`.
 */
export const BOOTSTRAP = `#!/bin/bash
api=(\${AWS_LAMBDA_RUNTIME_API/:/ })
out=\${TMPDIR:-/tmp}/out
call() {
  exec 3<>"/dev/tcp/\${api[0]}/\${api[1]}" || exit 9
  { printf '%s /2018-06-01/runtime/%s HTTP/1.1\\r\\nHost: worker\\r\\nConnection: close\\r\\n' "$1" "$2"
    printf 'Content-Length: %d\\r\\n\\r\\n' "$(wc -c <"$3")"
    cat "$3"; } >&3
  id= length=0
  while IFS= read -r line <&3 && line=\${line%$'\\r'} && [ -n "$line" ]; do
    case \${line,,} in
      lambda-runtime-aws-request-id:*) id=\${line#*: } ;;
      content-length:*) length=\${line#*: } ;;
    esac
  done
  IFS= read -r -N "$length" body <&3
  exec 3>&-
}
count=0
while call GET invocation/next /dev/null && [ -n "$id" ]; do
  request=$id kind=response
  eval "\${body:1:-1}" >"$out"
  call POST "invocation/$request/$kind" "$out"
done
`;

/** Of the member of a zip: left to the clock, two equal zips would differ every other second. */
const ZIP_DATE = new Date(2026, 0, 1);

/** The zip of a function that has this `bootstrap`, in base64: the same bytes each time. */
export async function zipOf(bootstrap: string = BOOTSTRAP, unixMode = 0o755): Promise<string> {
  const writer = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  await writer.add("bootstrap", new TextReader(bootstrap), { unixMode, lastModDate: ZIP_DATE });
  return new Uint8Array(await (await writer.close()).arrayBuffer()).toBase64();
}

/** The one role that there is. */
export const ROLE = "arn:aws:iam::000000000000:role/worker";

/** A member of a JSON answer. */
export type Member = string | number | boolean | null | Member[] | { [name: string]: Member };

/** An answer, read. */
export interface Answer {
  /** HTTP status. */
  status: number;
  /** Name of the error, empty if it is none. */
  error: string;
  /** Response headers. */
  headers: Headers;
  /** The body. */
  text: string;
  /** The body's members if it is a JSON object, else none. */
  json: { [name: string]: Member };
}

/** A cloud of Lambda alone. */
export interface LambdaFixture {
  /** The Lambda. */
  readonly lambda: Lambda;
  /** Folder of its state. */
  readonly directory: string;
  /** What it logged. */
  readonly logged: string[];
  /** Sends a request. */
  send(method: string, path: string, body?: unknown, options?: SendOptions): Promise<Answer>;
  /** Creates a function with {@linkcode BOOTSTRAP}, ready at once. */
  create(name: string, parameters?: Record<string, unknown>): Promise<Answer>;
  /** Invokes a function with a script. */
  run(name: string, script: string, options?: SendOptions): Promise<Answer>;
}

/** What a request may have besides a body. */
export interface SendOptions {
  /** Request headers. */
  headers?: Record<string, string>;
  /** Aborted when the client goes away. */
  signal?: AbortSignal;
  /** Whether the caller is a role and not root. */
  asRole?: boolean;
}

/** What of the cloud differs from the usual. */
export interface FixtureOptions extends LambdaOptions {
  /** Folder of the state: a fresh one, removed at the end, unless given. */
  directory?: string;
  /** Jobs at once, 2 unless given. */
  concurrency?: number;
  /** The clock; this machine's unless given. */
  now?: () => number;
  /** Names of image repositories. */
  repositories?: readonly string[];
  /** Objects of S3 by `bucket/key`. */
  objects?: Record<string, Uint8Array<ArrayBuffer>>;
}

let sharedBase: string | undefined;

/** Building the base system takes a second or two, and all tests of a module may have the same. */
async function shareBase(directory: string): Promise<void> {
  if (sharedBase === undefined) {
    const folder = await Deno.makeTempDir();
    addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
    sharedBase = folder;
  }
  try {
    await Deno.symlink(sharedBase, `${directory}/base`);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Opens a cloud of Lambda alone, calls `act` and closes it. */
export async function withLambda(
  options: FixtureOptions,
  act: (fixture: LambdaFixture) => Promise<void>,
): Promise<void> {
  const { now = Date.now, concurrency = 2, objects = {}, directory: given, repositories, ...rest } =
    options;
  const directory = given ?? await Deno.makeTempDir();
  await shareBase(directory);
  const logged: string[] = [];
  const settings: CloudSettings = {
    directory,
    region: "us-east-1",
    accountId: "000000000000",
    endpoint: () => "http://127.0.0.1:1",
    now,
    log: (line) => logged.push(line),
    concurrency,
  };
  const lambda = await openLambda(settings, {
    readObject: (bucket, key) => Promise.resolve(objects[`${bucket}/${key}`]),
    issueRoleCredentials: (roleArn, seconds) => ({
      accessKeyId: `ASIA${seconds}`,
      secretAccessKey: "secret",
      sessionToken: roleArn,
    }),
    roleExists: (arn) => arn === ROLE,
    repositoryExists: (name) => repositories?.includes(name) ?? false,
  }, { pendingMs: 0, ...rest });

  async function send(
    method: string,
    path: string,
    body?: unknown,
    { headers, signal, asRole = false }: SendOptions = {},
  ): Promise<Answer> {
    const url = new URL(path, "http://lambda");
    const request: ServiceRequest = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: new Headers(headers),
      body: new TextEncoder().encode(
        typeof body === "string" ? body : body === undefined ? "" : JSON.stringify(body),
      ),
      requestId: crypto.randomUUID(),
      principal: {
        accessKeyId: "AKIA",
        arn: "arn:aws:iam::000000000000:root",
        accountId: "000000000000",
        root: !asRole,
      },
      signal: signal ?? new AbortController().signal,
    };
    try {
      const response = await lambda.service(request);
      const text = await response.text();
      const { status } = response;
      return { status, error: "", headers: response.headers, text, json: objectOf(text) };
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      const { status, code, message, fields } = error;
      const json = { ...fields, message };
      return { status, error: code, headers: new Headers(error.headers), text: message, json };
    }
  }

  try {
    await act({
      lambda,
      directory,
      logged,
      send,
      create: async (name, parameters = {}) =>
        await send("POST", "/2015-03-31/functions", {
          FunctionName: name,
          Runtime: "provided.al2023",
          Handler: "main",
          Role: ROLE,
          Code: { ZipFile: await zipOf() },
          ...parameters,
        }),
      run: (name, script, sendOptions) =>
        send("POST", `/2015-03-31/functions/${name}/invocations`, `"${script}"`, sendOptions),
    });
  } finally {
    await lambda.close();
    if (given === undefined) await Deno.remove(directory, { recursive: true });
  }
}

function objectOf(text: string): { [name: string]: Member } {
  try {
    const json: Member = JSON.parse(text);
    return typeof json === "object" && json !== null && !Array.isArray(json) ? json : {};
  } catch {
    // The body is what a script wrote, and no JSON.
    return {};
  }
}

/** Command lines of all processes that have this argument. */
export function processesWith(argument: string): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (line.split("\0").includes(argument)) found.push(line);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound) && !/ESRCH|os error 3/.test(`${error}`)) {
        throw error;
      }
    }
  }
  return found;
}
