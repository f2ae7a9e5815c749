/** The path shim, compiled by the user's own compiler against the libc that travels with it. */
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { replaceFile } from "./write_output.ts";

/** Where the shim's source is: beside a bundle, or in the source tree or package. */
const SOURCES = ["./path_shim.c", "../runtime/path_shim.c"];

/** Compilers of this machine that are asked where the first one makes code for another. */
const OTHERS = ["cc", "gcc", "clang"];

/**
 * Compiles the shim with `compiler`, or with another one of this machine where that one does not make what
 * can be loaded into itself, as a cross compiler does not.
 *
 * @throws {LlamaError} `ShimNotBuilt` with the first compiler's first line of complaint.
 */
export async function buildShim(
  compiler: string,
  others: readonly string[] = OTHERS,
): Promise<Uint8Array<ArrayBuffer>> {
  const own = await readProgram(compiler);
  let problem: LlamaError | undefined;
  for (const candidate of [compiler, ...others]) {
    try {
      const library = await compile(candidate);
      if (own === undefined || isOfItsKind(library, own)) return library;
      problem ??= new LlamaError(
        "ShimNotBuilt",
        `Cannot compile the path shim with "${compiler}" as it compiles for other machines`,
        { hint: "install a compiler for this machine" },
      );
    } catch (error) {
      if (!(error instanceof LlamaError)) throw error;
      problem ??= error;
    }
  }
  throw problem;
}

async function compile(compiler: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await Deno.makeTempDir({ prefix: "llama-shim-" });
  try {
    const source = `${folder}/path_shim.c`;
    const library = `${folder}/path_shim.so`;
    await Deno.writeTextFile(source, await readSource());
    // The paths in the command are the same every time, so that equal shims have equal bytes.
    const { code, stderr } = await new Deno.Command(compiler, {
      args: ["-x", "c", "-O2", "-shared", "-fPIC", "-o", "path_shim.so", "path_shim.c", "-ldl"],
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    if (code !== 0) {
      const complaint = new TextDecoder().decode(stderr).split("\n", 1)[0] ?? "";
      throw new LlamaError(
        "ShimNotBuilt",
        `Cannot compile the path shim with "${compiler}": ${complaint}`,
        { hint: "install the C library's headers" },
      );
    }
    return await Deno.readFile(library);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new LlamaError("ShimNotBuilt", `Cannot find the compiler "${compiler}"`, { cause });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * The shim as the compiler `cc` makes it, kept in the folder `cacheDir` for whoever comes next: to compile
 * it takes 300 ms.
 *
 * @throws {LlamaError} `ShimNotBuilt`.
 */
export async function keptShim(cacheDir: string): Promise<Uint8Array<ArrayBuffer>> {
  const name = await shimSourceDigest();
  const path = `${cacheDir}/shim-${name.slice(0, 16)}.so`;
  try {
    const kept = await Deno.readFile(path);
    // System V ABI, "ELF Header"; anything else is no library.
    if (kept[0] === 0x7f) return kept;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const built = await buildShim("cc");
  await Deno.mkdir(cacheDir, { recursive: true, mode: 0o700 });
  await replaceFile(path, built, 0o600);
  return built;
}

/** Digest of what the shim is compiled from. */
export async function shimSourceDigest(): Promise<Digest> {
  return await digestOf(new TextEncoder().encode(await readSource()));
}

/** Bytes of an ELF program, `undefined` of anything else. */
async function readProgram(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!path.startsWith("/")) return undefined;
  try {
    const bytes = await Deno.readFile(path);
    // System V ABI, "ELF Header".
    return bytes[0] === 0x7f && bytes[1] === 0x45 ? bytes : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** System V ABI, "ELF Header": word size and byte order at 4, the machine at 18. */
const KIND_OFFSETS = [4, 5, 18, 19];

/** Whether a library can be loaded into a program: the same machine, and glibc into glibc. */
function isOfItsKind(library: Uint8Array, program: Uint8Array): boolean {
  if (KIND_OFFSETS.some((offset) => library[offset] !== program[offset])) return false;
  return !namesGlibc(program) || namesGlibc(library);
}

function namesGlibc(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes("\0libc.so.6\0");
}

async function readSource(): Promise<string> {
  for (const relative of SOURCES) {
    try {
      const response = await fetch(new URL(relative, import.meta.url));
      if (response.ok) return await response.text();
      await response.body?.cancel();
    } catch (error) {
      // fetch() of a file that is not there rejects so.
      if (!(error instanceof TypeError)) throw error;
    }
  }
  throw new LlamaError("ShimNotFound", 'Cannot find "path_shim.c" beside this program', {
    hint: "install llama again",
  });
}
