/** Hands a job over to a function, and remembers how to read its answer. */
import { resolve } from "@std/path/posix";
import { handOver } from "../daemon/run_job.ts";
import type { Session } from "../daemon/session.ts";
import { isWanted } from "../job/spec.ts";
import type { CommandContext } from "./command.ts";
import { keepDetached, newId } from "./detached_jobs.ts";
import { type FileJob, prepareFileJob } from "./file_job.ts";
import { functionMissing, isFunctionMissing } from "./function_names.ts";
import { isInPlace, wantedOf } from "./job_wishes.ts";
import { usageError } from "./flags.ts";
import type { SharedInputs } from "./shared_inputs.ts";
import type { Shipment } from "./ship_job.ts";

/** Where a job goes. */
export interface DetachOptions {
  readonly session: Session;
  readonly functionName: string;
  readonly shipment: Shipment | undefined;
  readonly shared: SharedInputs;
}

/**
 * Hands `job` over and prints its ID.
 *
 * @throws {LlamaError} If a file cannot be sent or AWS refuses.
 */
export async function detach(
  job: FileJob,
  { session, functionName, shipment, shared }: DetachOptions,
  { cwd, llamaDir, output, signal }: CommandContext,
): Promise<number> {
  const { spec, read, fileOf, given } = await prepareFileJob(job, {
    ...(shipment && { shipment }),
    shared,
    signal,
  });
  const moved = given.find(({ path }) =>
    isWanted(path, wantedOf(job.outputs)) && !isInPlace(path, job.inputs, job.outputs)
  );
  if (moved !== undefined) {
    throw usageError(
      `-detach cannot fetch the input ${JSON.stringify(moved.path)} under another name`,
      "have the command copy it",
    );
  }
  const id = newId();
  const record = {
    id,
    functionName,
    store: session.store.url,
    args: job.args,
    startedMs: Date.now(),
    outputs: job.outputs.map(({ local, remote }) => ({ local: resolve(cwd, local), remote })),
    isShipped: shipment !== undefined,
    wanted: spec.wanted,
  };
  // Before it runs, so that no answer can be lost.
  await keepDetached(llamaDir, { ...record, requestId: "" });
  let requestId: string;
  try {
    requestId = await handOver({ ...spec, keepAs: id }, {
      session,
      functionName,
      read,
      fileOf,
      signal,
    });
  } catch (error) {
    throw isFunctionMissing(error)
      ? await functionMissing(session.client, functionName, error)
      : error;
  }
  await keepDetached(llamaDir, { ...record, requestId });
  await output.result({ id, requestId }, id);
  return 0;
}
