/** The path shim, compiled by the user's own compiler against the libc that travels with it. */
import { LlamaError } from "../job/errors.ts";

/** Where the shim's source is: beside a bundle, or in the source tree or package. */
const SOURCES = ["./path_shim.c", "../runtime/path_shim.c"];

/**
 * Compiles the shim with `compiler`.
 *
 * @throws {LlamaError} `ShimNotBuilt` with the compiler's first line of complaint.
 */
export async function buildShim(compiler: string): Promise<Uint8Array<ArrayBuffer>> {
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
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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
