/** Finds the compiler that llamacc stands in for. */
import type { FileSystem } from "../cc/file_system.ts";
import { findProgram } from "../cc/toolchain.ts";

/** A compiler that was found. */
export interface FoundCompiler {
  /** Path of its driver. */
  readonly driver: string;
  /** Whether this program stands before it in PATH under the same name. */
  readonly isBehind: boolean;
}

/** Names of this program, which must never be taken for a compiler. */
const OWN_NAMES = /(?:^|[/-])(?:llamacc|llamac\+\+|llama)$/;

/** The first compiler of that name in PATH that is not this program itself. */
export function compilerFor(
  name: string,
  path: string,
  files: FileSystem,
): FoundCompiler | undefined {
  let isBehind = false;
  const isOwn = (candidate: string) => {
    let at = candidate;
    for (let links = 0; links < 40; links++) {
      if (OWN_NAMES.test(at)) return true;
      const target = files.readLink(at);
      if (target === undefined) return false;
      at = target.startsWith("/") ? target : `${at.slice(0, at.lastIndexOf("/") + 1)}${target}`;
    }
    return false;
  };
  for (const folder of name.includes("/") ? [""] : path.split(":")) {
    const candidate = findProgram(name, folder, files);
    if (candidate === undefined) continue;
    if (!isOwn(candidate)) return { driver: candidate, isBehind };
    isBehind = true;
  }
  return undefined;
}
