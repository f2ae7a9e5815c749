/**
 * Which objects this side has put into a store, and in which pack. With it a warm build asks S3
 * nothing at all. It may be wrong, as a bucket's lifecycle deletes objects: then a worker names what it
 * misses, and {@linkcode Placement.forget} is called.
 *
 * On disk it is text, one line `<object> <pack>` each, or `<object>` alone if it stands singly; lines are
 * only ever appended, and a damaged one is skipped. 135 bytes an object: 1.4 MB for all headers of LLVM.
 */
import { asDigest, type Digest } from "../job/digest.ts";
import { FormatError } from "../job/errors.ts";

/** Where objects of a store are. */
export interface Placement {
  /** The pack that holds the object, `undefined` if it stands singly. */
  packOf(object: Digest): Digest | undefined;
  /** Whether the object is in the store, as far as is known. */
  has(object: Digest): boolean;
  /** Remembers where objects have been put. */
  add(objects: readonly Digest[], pack?: Digest): Promise<void>;
  /** The object is not there, after all. */
  forget(object: Digest): void;
}

/** Opens the placement kept in `path`, which need not exist. */
export async function openPlacement(path: string): Promise<Placement> {
  const places = new Map<Digest, Digest | undefined>();
  const text = await readText(path);
  const lines = text.split("\n");
  // Without its end, the last line may lack its pack, and would swallow the next one.
  let separator = lines.pop() === "" ? "" : "\n";
  for (const line of lines) {
    const [object, pack] = line.split(" ");
    if (object === undefined || !isDigest(object)) continue;
    if (pack === undefined) places.set(object, undefined);
    else if (isDigest(pack)) places.set(object, pack);
  }
  let writing: Promise<void> = Promise.resolve();
  return {
    packOf: (object) => places.get(object),
    has: (object) => places.has(object),
    add: (objects, pack) => {
      const suffix = pack === undefined ? "" : ` ${pack}`;
      for (const object of objects) places.set(object, pack);
      const text = separator + objects.map((object) => `${object}${suffix}\n`).join("");
      separator = "";
      const done = writing.then(() =>
        Deno.writeTextFile(path, text, { append: true, mode: 0o600 })
      );
      // The next write must go on even if this one fails; the caller of this one is told.
      writing = done.catch(() => undefined);
      return done;
    },
    forget: (object) => {
      places.delete(object);
    },
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function isDigest(text: string): boolean {
  try {
    asDigest(text, "digest");
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}
