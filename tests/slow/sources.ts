/**
 * Sources of whole projects, from Debian by way of this machine's own apt, which checks their
 * signatures. They are kept in `~/.cache/llama/sources`; apt's own lists stay as they are, as all
 * of this has a configuration folder and lists of its own.
 */
import { run } from "../../scripts/demo/tools.ts";

/** Sources in a folder, or why there are none. */
export type Source =
  | { readonly kind: "found"; readonly folder: string; readonly version: string }
  | { readonly kind: "missing"; readonly reason: string };

/** SHA-256 of upstream's tarball, by name; another one only counts if its .dsc names its digest. */
const PINNED: ReadonlyMap<string, string> = new Map([
  [
    "abseil_20220623.1.orig.tar.gz",
    "abfe2897f3a30edaa74bc34365afe3c2a3cd012091a97dc7e008f7016adcd5fe",
  ],
  [
    "leveldb_1.23.orig.tar.gz",
    "9a37f8a6174f09bd622bc723b55881dc541cd50747cbd08831c2a82d620f6d76",
  ],
  [
    "llvm-toolchain-14_14.0.6.orig.tar.xz",
    "d9bce5f42381d781e273c724db1ab0acd66259bf2782b79891664dbf1953d22c",
  ],
  [
    "lua5.4_5.4.4.orig.tar.gz",
    "164c7849653b80ae67bec4b7473b884bf5cc8d2dca05653475ec2ed27b9ebf61",
  ],
  [
    "re2_20220601+dfsg.orig.tar.xz",
    "3bc61251da3b0b97be40a8a127818c517c62516e4eda11fc901d29496663df54",
  ],
  [
    "redis_7.0.15.orig.tar.gz",
    "4b1dc4ee6d622a09fff9c6777191209750fb5e5a725ef78ea012d6eef4c22982",
  ],
  [
    "sqlite3_3.40.1.orig.tar.xz",
    "aaa776260ab4dc976db34aa7891819484c8676b5b2783123ebc6301e2ca5d655",
  ],
  [
    "zlib_1.2.13.dfsg.orig.tar.bz2",
    "71feb7947e3c00ef125f83b79a4e529bde31171e5babe48b391f06758d1ab0a1",
  ],
]);

/** Debian's own lists of sources, in either of apt's two formats (sources.list(5)). */
const LISTS = ["/etc/apt/sources.list", "/etc/apt/sources.list.d"];

/** What of a tarball is unpacked, all unless given; patterns are tar's, from the top folder's name on. */
export interface Unpacked {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

/**
 * The upstream sources of the Debian package `name`, without Debian's patches.
 *
 * @throws {Error} If a tarball is not the one that its .dsc or this project names.
 */
export async function debianSource(
  name: string,
  env: Readonly<Record<string, string>>,
  { only = [], except = [] }: Unpacked = {},
): Promise<Source> {
  const cache = env.XDG_CACHE_HOME || `${env.HOME || "/tmp"}/.cache`;
  const kept = `${cache}/llama/sources/debian-${name}`;
  const known = await onlyFolder(kept);
  if (known !== undefined) return { kind: "found", folder: `${kept}/${known}`, version: known };
  await Deno.mkdir(`${cache}/llama/sources`, { recursive: true });
  const work = await Deno.makeTempDir({ dir: `${cache}/llama/sources`, prefix: "new-" });
  try {
    const downloaded = await download(name, work, env);
    if (downloaded !== undefined) return { kind: "missing", reason: downloaded };
    const dsc = await onlyName(work, /\.dsc$/);
    const tarball = await onlyName(work, /\.orig\.tar\.\w+$/);
    const named = digestIn(await Deno.readTextFile(`${work}/${dsc}`), tarball);
    const digest = await sha256(await Deno.readFile(`${work}/${tarball}`));
    if (digest !== named || digest !== (PINNED.get(tarball) ?? digest)) {
      throw new Error(`Cannot use "${tarball}" as it is not what was pinned: ${digest}`);
    }
    await Deno.mkdir(`${work}/unpacked`);
    const patterns = [...except.map((pattern) => `--exclude=${pattern}`), "--wildcards", ...only];
    await run(["tar", "-xf", `../${tarball}`, ...patterns], { cwd: `${work}/unpacked`, env });
    const top = await onlyFolder(`${work}/unpacked`);
    if (top === undefined) throw new Error(`Cannot use "${tarball}" as it holds no single folder`);
    await Deno.mkdir(kept, { recursive: true });
    await Deno.rename(`${work}/unpacked/${top}`, `${kept}/${top}`);
    return { kind: "found", folder: `${kept}/${top}`, version: top };
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Leaves the package's files in `work`; returns the reason if it cannot. */
async function download(
  name: string,
  work: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const parts = `${work}/apt/parts`;
  await Deno.mkdir(parts, { recursive: true });
  await Deno.mkdir(`${work}/apt/lists/partial`, { recursive: true });
  await Deno.mkdir(`${work}/apt/cache/archives/partial`, { recursive: true });
  if (!await copyLists(parts)) return "apt has no lists here";
  const options = [
    ["Dir::Etc::sourcelist", "/dev/null"],
    ["Dir::Etc::sourceparts", parts],
    ["Dir::State::lists", `${work}/apt/lists`],
    ["Dir::Cache", `${work}/apt/cache`],
    ["Acquire::http::Timeout", "20"],
    ["Acquire::Retries", "1"],
    ["APT::Sandbox::User", ""],
    ["APT::Update::Error-Mode", "any"],
  ].flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  const inWork = { cwd: work, env };
  let reason = "";
  try {
    await run(["apt-get", ...options, "-q", "update"], inWork);
    const listed = await run(["apt-cache", ...options, "showsrc", "--only-source", name], inWork);
    const versions = [...listed.matchAll(/^Version: (\S+)$/gm)].map(([, version]) => version);
    // The newest one may have gone from the server since the list was made.
    for (const want of [name, ...versions.map((version) => `${name}=${version}`)]) {
      try {
        await run(["apt-get", ...options, "-q", "source", "--download-only", want], inWork);
        return undefined;
      } catch (error) {
        reason = lastLine(error);
      }
    }
    return reason || `apt knows no source of ${name}`;
  } catch (error) {
    return lastLine(error);
  }
}

/** Copies this machine's lists so that they name sources; tells whether there are any. */
async function copyLists(parts: string): Promise<boolean> {
  const paths: string[] = [];
  for (const path of LISTS) {
    try {
      const { isDirectory } = await Deno.stat(path);
      if (!isDirectory) paths.push(path);
      else for await (const { name } of Deno.readDir(path)) paths.push(`${path}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  let copied = 0;
  for (const path of paths.filter((path) => /\.(?:list|sources)$/.test(path))) {
    const text = await Deno.readTextFile(path);
    const changed = path.endsWith(".sources")
      ? text.replaceAll(/^Types:.*$/gm, "Types: deb-src")
      : text.replaceAll(/^deb(?:-src)?(?=\s)/gm, "deb-src");
    await Deno.writeTextFile(`${parts}/${copied++}-${path.split("/").at(-1)}`, changed);
  }
  return copied > 0;
}

/** Debian Policy 5.6.24: the field Checksums-Sha256 has lines of digest, size and name. */
function digestIn(dsc: string, name: string): string | undefined {
  for (const [, digest, file] of dsc.matchAll(/^ ([0-9a-f]{64}) \d+ (\S+)$/gm)) {
    if (file === name) return digest;
  }
  return undefined;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function onlyName(folder: string, pattern: RegExp): Promise<string> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) if (pattern.test(name)) names.push(name);
  const [only] = names;
  if (only === undefined || names.length > 1) {
    throw new Error(`Cannot use the source as it has ${names.length} files like ${pattern}`);
  }
  return only;
}

async function onlyFolder(path: string): Promise<string | undefined> {
  try {
    const names: string[] = [];
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) names.push(name);
    }
    return names.length === 1 ? names[0] : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function lastLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.trim().split("\n").at(-1) ?? "";
}
