/** What the runtime reads of its environment, once. */
import { LlamaError } from "../job/errors.ts";

/** Settings of a runtime. */
export interface RuntimeSettings {
  /** Host and port of the Runtime API. */
  readonly apiHost: string;
  /** The worker's folder, `/tmp/llama` unless `LLAMA_WORKER_FOLDER` says otherwise. */
  readonly folder: string;
  /** A folder in which everything that a job leaves is to be removed, made if it is not there. */
  readonly sweptFolder?: string;
  /** Environment of a job that is not rooted, before the job's own. */
  readonly plainEnv: Readonly<Record<string, string>>;
}

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Reads the settings.
 *
 * A worker that has its /tmp for itself is told so by `LLAMA_PRIVATE_TMP=1`: a wrong guess would remove
 * files of others. One that shares it is given a folder by `LLAMA_WORKER_FOLDER`, and jobs that are not
 * rooted get one beside that as HOME and TMPDIR, by which the cloud also finds their processes again.
 *
 * @throws {LlamaError} `RuntimeApi` if this is no worker.
 */
export function readSettings(env: Readonly<Record<string, string>>): RuntimeSettings {
  const apiHost = env.AWS_LAMBDA_RUNTIME_API;
  if (!apiHost) {
    throw new LlamaError(
      "RuntimeApi",
      "Cannot serve jobs as AWS_LAMBDA_RUNTIME_API is not set",
      { hint: "This program runs inside a Lambda function" },
    );
  }
  const { LLAMA_WORKER_FOLDER: folder } = env;
  const ownsTmp = env.LLAMA_PRIVATE_TMP === "1";
  const tmp = folder === undefined || ownsTmp ? undefined : `${folder}.tmp`;
  return {
    apiHost,
    folder: folder ?? "/tmp/llama",
    ...(ownsTmp ? { sweptFolder: "/tmp" } : tmp !== undefined && { sweptFolder: tmp }),
    plainEnv: {
      PATH: env.PATH ?? DEFAULT_PATH,
      ...(tmp === undefined ? { HOME: "/tmp" } : { HOME: tmp, TMPDIR: tmp }),
    },
  };
}
