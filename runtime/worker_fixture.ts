/** What the runtime's tests share: a worker in a temporary folder, over objects in memory. */
import { type Digest, digestOf } from "../job/digest.ts";
import { type Content, isInline } from "../job/content.ts";
import { LlamaError } from "../job/errors.ts";
import type { JobAnswer, JobResult } from "../job/result.ts";
import type { JobSpec } from "../job/spec.ts";
import { MAX_ANSWER_BYTES } from "./answer.ts";
import { openLibc } from "./libc.ts";
import type { Objects } from "./objects.ts";
import { removeTree } from "./remove_tree.ts";
import { runJob } from "./run_job.ts";
import { openWorker, type Worker, type WorkerOptions } from "./worker.ts";

/** Objects in memory that note what was asked of them. */
export interface MemoryObjects extends Objects {
  readonly kept: Map<Digest, Uint8Array<ArrayBuffer>>;
  /** Digests that were asked for, in order. */
  readonly asked: Digest[];
  /** Answers by their names. */
  readonly answers: Map<string, Uint8Array<ArrayBuffer>>;
}

/** Objects in memory. */
export function memoryObjects(): MemoryObjects {
  const kept = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const asked: Digest[] = [];
  const answers = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    kept,
    asked,
    answers,
    async take(digest, take) {
      const bytes = await this.get(digest);
      await take(bytes);
      return bytes.length;
    },
    async putFile(path) {
      return await this.put(await Deno.readFile(path));
    },
    putAnswer: (name, bytes) => Promise.resolve(void answers.set(name, bytes)),
    get(digest) {
      asked.push(digest);
      const bytes = kept.get(digest);
      if (bytes) return Promise.resolve(bytes);
      return Promise.reject(new LlamaError("ObjectMissing", `Cannot find "${digest}"`));
    },
    async put(bytes) {
      const digest = await digestOf(bytes);
      kept.set(digest, bytes);
      return digest;
    },
  };
}

const libc = openLibc();
libc?.becomeSubreaper();

/** A worker of a test, and what it stands on. */
export interface TestWorker extends Disposable {
  readonly worker: Worker;
  readonly objects: MemoryObjects;
  readonly folder: string;
  readonly log: string[];
  /** Runs a job, by default one without inputs, environment or outputs. */
  run(spec: Partial<JobSpec>, timeoutMs?: number): Promise<JobAnswer>;
  /** Runs a job that is expected to come to its end. */
  done(spec: Partial<JobSpec>): Promise<JobResult>;
}

/** Opens a worker in a short temporary folder. */
export function testWorker(
  options: Partial<Omit<WorkerOptions, "limits">> & {
    readonly limits?: Partial<WorkerOptions["limits"]>;
  } = {},
): TestWorker {
  const folder = shortFolder();
  const objects = memoryObjects();
  const log: string[] = [];
  const worker = openWorker({
    folder: `${folder}/w`,
    loaderFolder: `${folder}/l`,
    objects,
    plainEnv: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/tmp" },
    prefixArgs: [],
    libc,
    now: Date.now,
    log: (line) => log.push(line),
    ...options,
    limits: {
      memoryBytes: 256 * 1024,
      maxBytes: 256 * 1024 * 1024,
      maxFileBytes: 256 * 1024 * 1024,
      maxAnswerBytes: MAX_ANSWER_BYTES,
      ...options.limits,
    },
  });
  const run = (spec: Partial<JobSpec>, timeoutMs = 60_000) =>
    runJob(
      {
        args: ["true"],
        env: {},
        cwd: spec.rooted ? "/" : "",
        manifests: [],
        packs: [],
        inputs: [],
        wanted: [],
        ...spec,
      },
      worker,
      { deadlineMs: Date.now() + timeoutMs, functionTimeoutMs: timeoutMs },
    );
  return {
    worker,
    objects,
    folder,
    log,
    run,
    async done(spec) {
      const answer = await run(spec);
      if (answer.kind === "done") return answer;
      throw new Error(`The job did not run: ${JSON.stringify(answer)}`);
    },
    [Symbol.dispose]() {
      worker.tidy();
      removeTree(folder);
    },
  };
}

/** A new folder whose name leaves room for a loader's in place of `/lib64/ld-linux-x86-64.so.2`. */
export function shortFolder(): string {
  for (;;) {
    const path = `/tmp/l${Math.random().toString(36).slice(2, 6)}`;
    try {
      Deno.mkdirSync(path);
      return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** Bytes of a text. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Inline content of a text. */
export function inline(text: string): Content {
  return { bytes: bytesOf(text) };
}

/** Text of an inline content. */
export function textOf(content: Content): string {
  if (isInline(content)) return new TextDecoder().decode(content.bytes);
  throw new Error("The content is not inline");
}
