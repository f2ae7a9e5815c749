/**
 * Jobs that nobody waited for. What is known of each is kept in a file of `LLAMA_DIR/detached`, named for its ID: which
 * command it was, where its answer will be, and which outputs it may give, as a worker is not trusted to say that.
 */
import { asWanted, type Wanted } from "../job/spec.ts";
import { LlamaError } from "../job/errors.ts";
import {
  asArray,
  asBoolean,
  asInteger,
  asObject,
  asString,
  asTexts,
  parseJson,
} from "../job/json.ts";
import { replaceFile } from "../daemon/write_output.ts";
import type { FileArg } from "./file_args.ts";

/** A job that was handed over. */
export interface DetachedJob {
  /** 32 hexadecimal digits, by which the store keeps the answer, too. */
  readonly id: string;
  readonly functionName: string;
  /** Address of the store that has the answer. */
  readonly store: string;
  readonly args: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** Lambda's name of the invocation. */
  readonly requestId: string;
  /** Outputs by their paths there and here, the latter absolute. */
  readonly outputs: readonly FileArg[];
  /** Whether the job carries its program, so that its folder is one of a root of its own. */
  readonly isShipped: boolean;
  readonly wanted: readonly Wanted[];
}

const VERSION = 1;
/** The oldest are forgotten when there are more. */
const MAX_JOBS = 1000;

/** A new ID; nobody can guess it. */
export function newId(): string {
  return crypto.getRandomValues(new Uint8Array(16)).toHex();
}

/** Keeps a job's record. */
export async function keepDetached(llamaDir: string, job: DetachedJob): Promise<void> {
  const folder = folderOf(llamaDir);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const text = JSON.stringify({ version: VERSION, ...job });
  await replaceFile(`${folder}/${job.id}.json`, new TextEncoder().encode(text), 0o600);
  const all = await listDetached(llamaDir);
  for (const { id } of all.slice(MAX_JOBS)) await Deno.remove(`${folder}/${id}.json`);
}

/**
 * Reads the record of a job.
 *
 * @throws {LlamaError} `JobUnknown` if there is none here.
 */
export async function readDetached(llamaDir: string, id: string): Promise<DetachedJob> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${folderOf(llamaDir)}/${id}.json`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new LlamaError("JobUnknown", `Cannot find the job ${id} in ${folderOf(llamaDir)}`, {
      hint: "llama result lists the jobs that llama invoke -detach began here",
    });
  }
  return jobFromJson(text, `${id}.json`);
}

/** All jobs of which there is a record, the newest first. */
export async function listDetached(llamaDir: string): Promise<DetachedJob[]> {
  const jobs: DetachedJob[] = [];
  try {
    for await (const { name } of Deno.readDir(folderOf(llamaDir))) {
      const id = /^([0-9a-f]{32})\.json$/.exec(name)?.[1];
      if (id !== undefined) jobs.push(await readDetached(llamaDir, id));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return jobs.toSorted((a, b) => b.startedMs - a.startedMs);
}

function folderOf(llamaDir: string): string {
  return `${llamaDir}/detached`;
}

function jobFromJson(text: string, what: string): DetachedJob {
  const json = asObject(parseJson(text, what), what);
  asInteger(json.version, `${what}.version`, VERSION, VERSION);
  const isShipped = asBoolean(json.isShipped, `${what}.isShipped`);
  return {
    id: asString(json.id, `${what}.id`),
    functionName: asString(json.functionName, `${what}.functionName`),
    store: asString(json.store, `${what}.store`),
    args: asTexts(json.args, `${what}.args`),
    startedMs: asInteger(json.startedMs, `${what}.startedMs`, 0),
    requestId: asString(json.requestId, `${what}.requestId`),
    outputs: asArray(json.outputs, `${what}.outputs`).map((value) => {
      const output = asObject(value, `${what}.outputs`);
      return {
        local: asString(output.local, `${what}.outputs.local`),
        remote: asString(output.remote, `${what}.outputs.remote`),
      };
    }),
    isShipped,
    wanted: asWanted(json.wanted, `${what}.wanted`, isShipped),
  };
}
