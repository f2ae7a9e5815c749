/**
 * Which objects this side has put into a store, so that none is offered twice.
 *
 * The file is a log: a line `LLAMAKN1 ` and the store's name, then records of 33 bytes, `+` or `-`
 * and the digest. Each is appended in one write, so that processes can share it; a tail that is no
 * whole record is dropped. Records are facts about another machine, which may have
 * lost the object since: who finds one missing calls `forget`. A log in place of a database, as losing
 * a record costs one request and nothing else.
 */
import type { Digest } from "../job/digest.ts";

/** Which objects a store is known to have. */
export interface KnownObjects {
  /** Whether the store is known to have the object. */
  has(digest: Digest): boolean;
  /** Notes that the store has the object. */
  add(digest: Digest): void;
  /** Notes that the store does not have the object. */
  forget(digest: Digest): void;
  /** Closes the file; later notes stay in memory. */
  close(): void;
  /** Number of objects known. */
  readonly size: number;
}

/** Settings of {@linkcode openKnownObjects}. */
export interface KnownObjectsOptions {
  /** Path of the file; without it all is kept in memory. */
  path?: string;
  /** Name of the store: account, endpoint and address. A file of another store is begun anew. */
  store: string;
  /** Most objects to keep, the newest; 100,000 unless given, about 12 MB of memory. */
  maxEntries?: number;
}

const RECORD_BYTES = 33;
const PLUS = 0x2b;
const MINUS = 0x2d;

/** Opens the file, or begins it. */
export function openKnownObjects(options: KnownObjectsOptions): KnownObjects {
  const { path } = options;
  const maxEntries = options.maxEntries ?? 100_000;
  const head = new TextEncoder().encode(`LLAMAKN1 ${options.store}\n`);
  const known = new Set<Digest>();
  let file: Deno.FsFile | undefined;
  let records = 0;

  const note = (digest: Digest, isThere: boolean): void => {
    known.delete(digest);
    if (!isThere) return;
    known.add(digest);
    if (known.size > maxEntries) {
      const [oldest] = known;
      if (oldest !== undefined) known.delete(oldest);
    }
  };

  const rewrite = (path: string): void => {
    const bytes = new Uint8Array(head.length + known.size * RECORD_BYTES);
    bytes.set(head);
    let position = head.length;
    for (const digest of known) {
      bytes[position] = PLUS;
      bytes.subarray(position + 1).setFromHex(digest);
      position += RECORD_BYTES;
    }
    const temporary = `${path}.${crypto.randomUUID()}.tmp`;
    Deno.writeFileSync(temporary, bytes, { createNew: true, mode: 0o600 });
    Deno.renameSync(temporary, path);
    records = known.size;
  };

  const append = (digest: Digest, isThere: boolean): void => {
    if (file === undefined || path === undefined) return;
    const record = new Uint8Array(RECORD_BYTES);
    record[0] = isThere ? PLUS : MINUS;
    record.subarray(1).setFromHex(digest);
    file.writeSync(record);
    if (++records <= maxEntries * 2) return;
    file.close();
    rewrite(path);
    file = Deno.openSync(path, { append: true });
  };

  if (path !== undefined) {
    const bytes = readIfThere(path);
    const isOurs = bytes.length >= head.length &&
      head.every((byte, index) => bytes[index] === byte);
    let end = head.length;
    if (isOurs) {
      for (; end + RECORD_BYTES <= bytes.length; end += RECORD_BYTES, records++) {
        const kind = bytes[end];
        if (kind !== PLUS && kind !== MINUS) break;
        note(bytes.subarray(end + 1, end + RECORD_BYTES).toHex(), kind === PLUS);
      }
    }
    if (!isOurs || end !== bytes.length || records > known.size * 2 + 1_000) rewrite(path);
    file = Deno.openSync(path, { append: true });
  }

  return {
    has: (digest) => known.has(digest),
    add(digest) {
      if (known.has(digest)) return;
      note(digest, true);
      append(digest, true);
    },
    forget(digest) {
      if (!known.has(digest)) return;
      note(digest, false);
      append(digest, false);
    },
    close() {
      file?.close();
      file = undefined;
    },
    get size() {
      return known.size;
    },
  };
}

function readIfThere(path: string): Uint8Array {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return new Uint8Array();
    throw error;
  }
}
