/**
 * The inputs that units of a toolchain have in common: headers, and the links and folders that lead to them. They are
 * one manifest in the store, of which each job picks its own by a bit each, so that a job of 400 headers is a request
 * of 2 KB and not of 60. What two units have wanted and the manifest does not name goes into the next one, which is
 * made when there is enough of it: seldom, as each worker reads each one once. What is new in a manifest is one pack,
 * whatever packs it came in with the units, so that a cold worker has few objects to read.
 *
 * A job still has just the inputs that were gathered for it: what is picked is what was asked for, byte for byte.
 */
import { isInline } from "../job/content.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { contentsOf, encodeManifest, type Input } from "../job/manifest.ts";
import type { Picked } from "../job/picked.ts";
import type { ReadObject, Uploads } from "./uploads.ts";

/** Inputs that are named by a bit. */
export interface InputPool {
  /** Parts `inputs` into those that the pool's manifest has, and all others, of which it takes note. */
  part(inputs: readonly Input[]): { readonly picked?: Picked; readonly own: readonly Input[] };
  /** Bytes of a manifest that jobs may still name. */
  read(digest: Digest): Uint8Array<ArrayBuffer> | undefined;
  /** Resolves when no manifest is being made. */
  settled(): Promise<void>;
}

/** What a pool is made with. */
export interface InputPoolTools {
  readonly uploads: Uploads;
  /** Bytes of objects on this machine. */
  readonly read: ReadObject;
  /** Hears that a manifest cannot be made; jobs spell their inputs out until one can. */
  readonly onProblem: (problem: unknown) => void;
}

interface Entry {
  input: Input;
  /** Its place in the manifest, -1 if it is not there. */
  index: number;
  /** Units that wanted it as it is. */
  wanted: number;
  /** Number of the manifest in force when it was wanted last. */
  used: number;
}

/** A manifest of fewer saves less than the request for it costs. */
const FEWEST = 64;
/** A new manifest is half as large again as the one before, so that a build makes few of them. */
const GROWTH = 0.5;
/** What was not wanted for so many manifests is left out of the next one. */
const MOST_UNUSED = 2;
/** Most inputs of a manifest, which a worker reads in 100 ms. */
const MOST = 30_000;
/** Manifests that a job underway may name. */
const KEPT_MANIFESTS = 3;

/** Creates an empty pool. */
export function createInputPool({ uploads, read, onProblem }: InputPoolTools): InputPool {
  const entries = new Map<string, Entry>();
  const manifests = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const packOf = new Map<Digest, Digest>();
  let current: { readonly digest: Digest; readonly count: number } | undefined;
  let number = 0;
  let waiting = 0;
  let making: Promise<void> = Promise.resolve();
  let isMaking = false;

  const make = async () => {
    const chosen = [...entries].filter(([, { index, wanted, used }]) =>
      index >= 0 ? number - used < MOST_UNUSED : wanted > 1
    ).slice(-MOST).map(([, entry]) => entry);
    const inputs = chosen.map(({ input }) => input);
    const contents = contentsOf(inputs);
    await uploads.ensure(contents, read);
    const fresh = contents.filter((digest) => !packOf.has(digest));
    for (const [digest, pack] of await uploads.repack(fresh, read)) packOf.set(digest, pack);
    const packs = [...new Set(contents.flatMap((digest) => packOf.get(digest) ?? []))];
    const bytes = encodeManifest({ packs, inputs });
    const digest = await digestOf(bytes);
    manifests.set(digest, bytes);
    await uploads.ensure(
      [digest],
      async (object) => object === digest ? bytes : await read(object),
    );
    for (const old of [...manifests.keys()].slice(0, -KEPT_MANIFESTS)) manifests.delete(old);
    for (const [path, entry] of entries) {
      if (number - entry.used >= MOST_UNUSED) entries.delete(path);
      entry.index = -1;
    }
    for (const [index, entry] of chosen.entries()) {
      // Another file may have come to stand there meanwhile.
      if (entry.input === inputs[index]) entry.index = index;
    }
    current = { digest, count: inputs.length };
    number++;
    waiting = 0;
    for (const { index, wanted } of entries.values()) if (index < 0 && wanted > 1) waiting++;
  };

  const makeSoon = () => {
    isMaking = true;
    making = make().catch(onProblem).finally(() => {
      isMaking = false;
    });
  };

  return {
    read: (digest) => manifests.get(digest),
    settled: () => making,
    part: (inputs) => {
      const bits = current && new Uint8Array(Math.ceil(current.count / 8));
      const own: Input[] = [];
      let found = 0;
      for (const input of inputs) {
        if (input.kind === "file" && isInline(input.content)) {
          own.push(input);
          continue;
        }
        const entry = entries.get(input.path);
        if (!entry) {
          entries.set(input.path, { input, index: -1, wanted: 1, used: number });
          own.push(input);
          continue;
        }
        if (entry.input !== input && !isSame(entry.input, input)) {
          Object.assign(entry, { input, index: -1, wanted: 0 });
        }
        entry.used = number;
        if (bits && entry.index >= 0) {
          bits[entry.index >> 3] = (bits[entry.index >> 3] ?? 0) | 1 << (entry.index & 7);
          found++;
          continue;
        }
        own.push(input);
        if (++entry.wanted === 2) waiting++;
      }
      if (!isMaking && waiting >= Math.max(FEWEST, (current?.count ?? 0) * GROWTH)) makeSoon();
      return {
        own,
        ...(current && bits && found > 0 && { picked: { manifest: current.digest, bits } }),
      };
    },
  };
}

function isSame(a: Input, b: Input): boolean {
  switch (a.kind) {
    case "link":
      return b.kind === "link" && a.target === b.target;
    case "folder":
      return b.kind === "folder" && a.mode === b.mode && a.mtimeMs === b.mtimeMs;
    case "file":
      return b.kind === "file" && a.mode === b.mode && a.mtimeMs === b.mtimeMs &&
        !isInline(a.content) && !isInline(b.content) && a.content.digest === b.content.digest;
  }
}

/** The pool of each toolchain for each store. */
export type InputPools = (toolchain: object, uploads: Uploads) => InputPool;

/** Creates pools as they are asked for. */
export function createInputPools(tools: Omit<InputPoolTools, "uploads">): InputPools {
  const poolsOf = new WeakMap<Uploads, WeakMap<object, InputPool>>();
  return (toolchain, uploads) => {
    let pools = poolsOf.get(uploads);
    if (!pools) poolsOf.set(uploads, pools = new WeakMap());
    let pool = pools.get(toolchain);
    if (!pool) pools.set(toolchain, pool = createInputPool({ ...tools, uploads }));
    return pool;
  };
}
