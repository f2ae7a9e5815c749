/** One command in a function with the files that it needs and makes, as `invoke` runs it, and `xargs` for each line. */
import { type RanJob, readContent, type RunJobOptions } from "../daemon/run_job.ts";
import type { Session } from "../daemon/session.ts";
import { type Content, isInline, LARGE_BYTES } from "../job/content.ts";
import type { Digest } from "../job/digest.ts";
import type { Input } from "../job/manifest.ts";
import type { OutputName } from "../job/output_stream.ts";
import { parentOf } from "../job/path.ts";
import type { JobSpec } from "../job/spec.ts";
import type { FileArg } from "./file_args.ts";
import { collectFiles } from "./job_inputs.ts";
import { fromStore, type ObjectSource, writeOutputs } from "./job_outputs.ts";
import { isInPlace, wantedOf, withUnchanged } from "./job_wishes.ts";
import type { JobStdin } from "./job_stdin.ts";
import type { ExpandedJob } from "./job_template.ts";
import { runNamed } from "./run_named.ts";
import type { SharedInputs } from "./shared_inputs.ts";
import type { Shipment } from "./ship_job.ts";

/** A command, and its files by their names here and there. */
export interface FileJob extends ExpandedJob {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: JobStdin;
  readonly timeoutMs?: number;
}

/** Where and how such jobs run. */
export interface FileJobOptions extends Omit<RunJobOptions, "session" | "read"> {
  readonly session: Session;
  /** The program of this machine that travels, whose inputs are among the shared ones. */
  readonly shipment?: Shipment;
  /** What all such jobs are sent. */
  readonly shared: SharedInputs;
  /** Files among the shared inputs, by their names here and there. */
  readonly sharedFiles?: readonly FileArg[];
}

/** A command that ran, with its outputs written. */
export interface FileJobEnd {
  readonly ran: RanJob;
  /** What `onOutput` did not get. */
  readonly stdout: Uint8Array<ArrayBuffer>;
  readonly stderr: Uint8Array<ArrayBuffer>;
  /** What there is of what was wanted. */
  readonly outputs: readonly Input[];
  /** Local paths that were written. */
  readonly written: readonly string[];
}

/**
 * Runs a job, and writes its outputs when all of them are here.
 *
 * @throws {LlamaError} If a file cannot be sent or written, and what {@linkcode runNamed} throws.
 */
export async function runFileJob(job: FileJob, options: FileJobOptions): Promise<FileJobEnd> {
  const { session, shipment, sharedFiles = [], signal } = options;
  const wishes = job.outputs;
  const { spec, read, fileOf, given } = await prepareFileJob(job, options);
  const ran = await runNamed(spec, { ...options, read, fileOf });
  const { result } = ran;
  const made = shipment?.unshipped(result.outputs) ?? result.outputs;
  const outputs = withUnchanged(made, given, wishes);
  const stored = fromStore(session.store);
  const source: ObjectSource = {
    read: async (digest) => {
      const here = contains(given, digest) ? await read(digest) : undefined;
      return here ?? await stored.read(digest);
    },
    take: stored.take,
  };
  const changed = new Set(made.map(({ path }) => path));
  const sources = [...sharedFiles, ...job.inputs];
  const toWrite = outputs.filter(({ path }) =>
    changed.has(path) || !isInPlace(path, sources, wishes)
  );
  return {
    ran,
    stdout: await restOf("stdout", result.stdout, options),
    stderr: await restOf("stderr", result.stderr, options),
    outputs,
    written: await writeOutputs(toWrite, wishes, source, signal),
  };
}

/** What was not passed on while the job ran. What is too large for memory is passed on now. */
async function restOf(
  name: OutputName,
  content: Content,
  { session: { store }, onOutput }: FileJobOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  if (onOutput === undefined || isInline(content) || content.size < LARGE_BYTES) {
    return await readContent(content, store);
  }
  await store.take(content.digest, (bytes) => onOutput(name, bytes));
  return new Uint8Array();
}

/** A job that can be sent. */
export interface PreparedFileJob {
  readonly spec: JobSpec;
  /** Gives what it names, from this machine. */
  readonly read: RunJobOptions["read"];
  /** Gives the files of what is too large for memory. */
  readonly fileOf: (digest: Digest) => string | undefined;
  /** Inputs by their paths in the job's folder, as far as they are files of the user's. */
  readonly given: readonly Input[];
}

/**
 * Reads what a job is sent.
 *
 * @throws {LlamaError} If a file cannot be sent.
 */
export async function prepareFileJob(
  job: FileJob,
  { shipment, shared, signal }: Pick<FileJobOptions, "shipment" | "shared" | "signal">,
): Promise<PreparedFileJob> {
  const { stdin, outputs: wishes } = job;
  const sent = await collectFiles(job.inputs, signal);
  const own = [...sent.inputs, ...job.texts];
  const common = shipment?.unshipped(shared.inputs) ?? shared.inputs;
  const plain: JobSpec = {
    args: job.args,
    env: job.env,
    cwd: "",
    ...(stdin && { stdin: stdin.content }),
    manifests: [],
    packs: [],
    inputs: [...foldersFor(wishes, [...common, ...own]), ...own],
    wanted: wantedOf(wishes),
    ...(job.timeoutMs !== undefined && { timeoutMs: job.timeoutMs }),
  };
  return {
    spec: shared.share(shipment?.root(plain) ?? plain),
    given: [...common, ...sent.inputs],
    fileOf: (digest) => {
      if (stdin !== undefined && names(stdin.content, digest)) return stdin.file;
      return shared.fileOf(digest) ?? sent.fileOf(digest);
    },
    read: async (digest) => {
      if (stdin !== undefined && names(stdin.content, digest)) return stdin.bytes;
      return await shared.read(digest) ?? await sent.read(digest);
    },
  };
}

/** The folders that outputs are to be in, which a command expects to be there. */
function foldersFor(wishes: readonly FileArg[], inputs: readonly Input[]): Input[] {
  const given = new Set(inputs.map(({ path }) => path));
  const folders = new Set(wishes.map(({ remote }) => parentOf(remote)));
  return [...folders].filter((path) => path !== "" && !given.has(path))
    .map((path) => ({ kind: "folder", path, mode: 0o755 }));
}

function contains(inputs: readonly Input[], digest: Digest): boolean {
  return inputs.some((input) => input.kind === "file" && names(input.content, digest));
}

function names(content: Content, digest: Digest): boolean {
  return !isInline(content) && content.digest === digest;
}
