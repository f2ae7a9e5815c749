/**
 * What compilers have said of themselves, kept in files, so that a daemon that starts again need not ask them: to run
 * each program of a toolchain, to compile the path shim and to hash 100 MB takes 2 s.
 *
 * Only names are taken from there. The files are looked at as they are now, and if a program or library of the toolchain
 * has another content, what was kept counts for nothing. A file is JSON:
 * `{"version", "shimSource", "programs", "paths", "extras", "libraryPath", "shim": base64, "digests": text}`, where the
 * text is that of kept_digests.ts. A damaged one is forgotten.
 */
import type { FileDigests } from "../cc/digests.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { FormatError } from "../job/errors.ts";
import { asBase64, asInteger, asObject, asString, asTexts, parseJson } from "../job/json.ts";
import { decodeDigests, encodeDigests } from "./kept_digests.ts";
import { removeIfThere, replaceFile } from "./write_output.ts";

/** A compiler's own files, and what makes them run elsewhere. */
export interface KeptToolchain {
  /** Files and folders as the compiler spells them. */
  readonly paths: readonly string[];
  /** What proofs have found beside them. */
  readonly extras: readonly string[];
  /** Folders for the loader. */
  readonly libraryPath: readonly string[];
  /** The path shim that was compiled for it. */
  readonly shim: Uint8Array<ArrayBuffer>;
  /** Names the programs and libraries among the paths by their contents: for others all this is not true. */
  readonly programs: string;
}

/** Toolchains by the compiler and all that decides which programs it runs. */
export interface KeptToolchains {
  /** What was kept, unless it was for another path shim; digests that were kept with it are known from now on. */
  recall(key: string): Promise<KeptToolchain | undefined>;
  /** Keeps a toolchain with the digests of `files`. */
  keep(key: string, toolchain: KeptToolchain, files: Iterable<string>): Promise<void>;
}

/** To be raised when other files are collected of the same compiler. */
const VERSION = 1;
/** The least recently written go when there are more; each is some 200 KB. */
const MAX_KEPT = 32;

/** Opens what is kept in `folder`, which need not exist. */
export function openKeptToolchains(
  folder: string,
  { digests, shimSource, onProblem }: {
    readonly digests: FileDigests;
    /** Digest of what the path shim is compiled from. */
    readonly shimSource: () => Promise<Digest>;
    /** Hears what keeps this from working; compilers are asked then. */
    readonly onProblem: (problem: unknown) => void;
  },
): KeptToolchains {
  const pathOf = async (key: string) =>
    `${folder}/${(await digestOf(new TextEncoder().encode(key))).slice(0, 32)}.json`;

  const write = async (key: string, toolchain: KeptToolchain, files: Iterable<string>) => {
    const names = new Set(files);
    const known = [...digests.entries()].filter(([name]) => names.has(name));
    const { programs, paths, extras, libraryPath, shim } = toolchain;
    const text = JSON.stringify({
      version: VERSION,
      shimSource: await shimSource(),
      ...{ programs, paths, extras, libraryPath },
      shim: shim.toBase64(),
      digests: encodeDigests(known),
    });
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(await pathOf(key), new TextEncoder().encode(text), 0o600);
    await prune(folder);
  };

  const read = async (key: string): Promise<KeptToolchain | undefined> => {
    const json = asObject(parseJson(await Deno.readTextFile(await pathOf(key)), "kept"), "kept");
    asInteger(json.version, "kept.version", VERSION, VERSION);
    if (json.shimSource !== await shimSource()) return undefined;
    const kept = {
      programs: asString(json.programs, "kept.programs"),
      paths: asTexts(json.paths, "kept.paths"),
      extras: asTexts(json.extras, "kept.extras"),
      libraryPath: asTexts(json.libraryPath, "kept.libraryPath"),
      shim: asBase64(json.shim, "kept.shim"),
    };
    const files = decodeDigests(asString(json.digests, "kept.digests"));
    for (const [name, file] of files) digests.remember(name, file);
    return kept;
  };

  return {
    recall: async (key) => {
      try {
        return await read(key);
      } catch (error) {
        const isNone = error instanceof Deno.errors.NotFound || error instanceof FormatError;
        if (!isNone) onProblem(error);
        return undefined;
      }
    },
    keep: async (key, toolchain, files) => {
      try {
        await write(key, toolchain, files);
      } catch (error) {
        onProblem(error);
      }
    },
  };
}

async function prune(folder: string): Promise<void> {
  const paths = Array.from(Deno.readDirSync(folder), ({ name }) => `${folder}/${name}`);
  if (paths.length <= MAX_KEPT) return;
  const byAge = paths.map((path) => ({ path, age: Deno.statSync(path).mtime?.getTime() ?? 0 }))
    .toSorted((a, b) => a.age - b.age);
  for (const { path } of byAge.slice(0, paths.length - MAX_KEPT)) await removeIfThere(path);
}
