/**
 * The executable that runs inside Lambda. As an image's ENTRYPOINT its arguments come before those of
 * every job that sees the image's files; in a zip function there are none.
 */
import { callersEnvironment } from "../job/callers_environment.ts";
import { statfsSync } from "node:fs";
import { MAX_OBJECT_BYTES } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import { parentOf } from "../job/path.ts";
import type { ObjectStore } from "../store/object_store.ts";
import { MAX_ANSWER_BYTES } from "./answer.ts";
import { runtimeApi } from "./api.ts";
import { readSettings, type RuntimeSettings } from "./environment.ts";
import { openLibc } from "./libc.ts";
import type { Objects } from "./objects.ts";
import { claimFolder } from "./own_folder.ts";
import { invocationError, serveOne } from "./serve.ts";
import { openWorker, type Worker } from "./worker.ts";

const KIB = 1024;

/** The store, opened when the first job needs it: many never do, and it is what takes long to load. */
function lazyObjects(env: Readonly<Record<string, string>>): Objects {
  let opened: Promise<ObjectStore> | undefined;
  const objects = () =>
    opened ??= import("../store/environment.ts").then((store) => store.storeFromEnvironment(env));
  /** The answer only names what is missing, so what else is known goes to the function's log. */
  const logging = async <T>(read: Promise<T>): Promise<T> => {
    try {
      return await read;
    } catch (error) {
      if (error instanceof LlamaError && error.hint) log(`${error.message}. ${error.hint}`);
      throw error;
    }
  };
  return {
    get: async (digest) => await logging((await objects()).get(digest)),
    take: async (digest, take) => await logging((await objects()).take(digest, take)),
    putFile: async (path) => {
      const { digestOfFile } = await import("../store/large_object.ts");
      const digest = await digestOfFile(path);
      await (await objects()).putFile(digest, path);
      return digest;
    },
    put: async (bytes) => await (await objects()).put(bytes),
    putAnswer: async (name, bytes) => await (await objects()).putAnswer(name, bytes),
  };
}

function log(line: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(line + "\n"));
}

function worker(env: Readonly<Record<string, string>>, settings: RuntimeSettings): Worker {
  const libc = openLibc();
  if (!libc?.becomeSubreaper()) log("Processes that leave a job's group may outlive it");
  // Never given back: the lock goes with the process.
  const folder = claimFolder(settings.folder).path;
  const { sweptFolder } = settings;
  if (sweptFolder !== undefined) Deno.mkdirSync(sweptFolder, { recursive: true, mode: 0o700 });
  return openWorker({
    folder,
    loaderFolder: "/tmp/.ld",
    ...(sweptFolder !== undefined && { sweptFolder }),
    objects: lazyObjects(env),
    plainEnv: settings.plainEnv,
    prefixArgs: Deno.args,
    limits: {
      memoryBytes: 256 * KIB,
      maxBytes: cacheBytes(parentOf(folder)),
      maxFileBytes: MAX_OBJECT_BYTES,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    },
    libc,
    now: Date.now,
    log,
  });
}

/** Half of the disk is for objects and half for what jobs make, within bounds for one too small or shared. */
function cacheBytes(folder: string): number {
  const { bsize, blocks } = statfsSync(folder);
  return Math.min(Math.max(bsize * blocks / 2, 256 * KIB * KIB), 1024 * KIB * KIB);
}

if (import.meta.main) {
  const env = callersEnvironment(Deno.env.toObject());
  const settings = readSettings(env);
  const api = runtimeApi(settings.apiHost);
  let ready: Worker;
  try {
    ready = worker(env, settings);
  } catch (error) {
    await api.failInit(invocationError(error));
    throw error;
  }
  for (;;) await serveOne(api, ready);
}
