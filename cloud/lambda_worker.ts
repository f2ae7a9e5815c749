/** From a function to its workers: the program, the environment and the code that it holds. */
import type { FunctionImage } from "./function_image.ts";
import type { FunctionVersion } from "./lambda_function.ts";
import { collectCode, type LambdaState } from "./lambda_state.ts";
import { startWorker, type Worker } from "./worker.ts";
import { type PoolFunction, StartError } from "./worker_pool.ts";

/** Workers live 6 hours (worker_pool.ts), and their last invocation at most 15 minutes more. */
const CREDENTIAL_SECONDS = 8 * 3600;
const MIB = 1_048_576;

/** A version of a function as the pool runs it. */
export function poolFunction(
  state: LambdaState,
  name: string,
  version: FunctionVersion,
): PoolFunction {
  return {
    name,
    revision: version.revisionId,
    timeoutMs: version.timeoutSeconds * 1000,
    start: () => start(state, name, version),
  };
}

async function start(state: LambdaState, name: string, version: FunctionVersion): Promise<Worker> {
  if (version.image) return await startImage(state, name, version, version.image);
  const { code, scratch } = state;
  const seal = await state.seal.get();
  const release = code.hold(version.codeDigest);
  let worker: Worker;
  try {
    await checkBootstrap(`${code.folder(version.codeDigest)}/bootstrap`);
    worker = await startWorker({
      seal,
      code: code.folder(version.codeDigest),
      tmpBytes: version.tmpMb * MIB,
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
      return used ? undefined : state.exclusive(() => collectCode(state));
    }),
  );
  return worker;
}

async function startImage(
  state: LambdaState,
  name: string,
  version: FunctionVersion,
  { uri, entryPoint, command, workingDirectory }: FunctionImage,
): Promise<Worker> {
  const seal = await state.seal.get();
  if (seal.kind === "no") {
    throw new StartError(
      "Runtime.InvalidEntrypoint",
      "The embedded cloud runs no images on this machine, as it cannot seal workers",
    );
  }
  const image = await state.images.open(version.codeDigest);
  if (image === undefined) {
    throw new StartError("Runtime.InvalidEntrypoint", `The image ${uri} is no longer there`);
  }
  const { config } = image;
  return await startWorker({
    seal,
    code: image.root,
    image: {
      command: [...entryPoint ?? config.entryPoint, ...command ?? config.command],
      cwd: workingDirectory ?? config.workingDirectory,
    },
    tmpBytes: version.tmpMb * MIB,
    environment: environmentOf(state, name, version, config.environment),
    scratch: state.scratch,
  });
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

/**
 * Lambda's variables (Developer Guide, "Defined runtime environment variables") over the function's, and
 * those over its image's.
 */
function environmentOf(
  { settings, deps }: LambdaState,
  name: string,
  version: FunctionVersion,
  ofImage: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const keys = deps.issueRoleCredentials(version.role, CREDENTIAL_SECONDS);
  const day = new Date(settings.now()).toISOString().slice(0, 10).replaceAll("-", "/");
  return {
    PATH: "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
    ...ofImage,
    ...version.environment,
    ...(version.handler !== undefined && { _HANDLER: version.handler }),
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
