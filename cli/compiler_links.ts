/** A folder of links, named as compilers are, that lead to llamacc. */
import { resolve } from "@std/path/posix";
import { findProgram } from "../cc/toolchain.ts";
import { createCompilerLookup } from "../daemon/compiler_lookup.ts";
import { realFiles } from "../daemon/real_files.ts";
import { readSettings } from "../cc/settings.ts";
import { LlamaError } from "../job/errors.ts";
import type { CommandContext } from "./command.ts";
import { type SelfOptions, thisProcess } from "./self.ts";

/** Names of compilers, with the machine that they compile for and their version. */
const COMPILER =
  /^(?:[a-z0-9_]+-(?:[a-z0-9_]+-)*)?(?:gcc|g\+\+|clang|clang\+\+|cc|c\+\+)(?:-\d+(?:\.\d+)*)?$/;

/**
 * Makes links in `folder` to llamacc for each compiler of PATH; where llamacc is a script, which cannot know
 * by which name it was called, scripts that tell it.
 *
 * @throws {LlamaError} `LlamaccNotFound`, `NotALink` if something else is there by such a name.
 */
export async function makeLinks(
  folder: string,
  { env, cwd }: Pick<CommandContext, "env" | "cwd">,
  self: SelfOptions = thisProcess(),
): Promise<{ readonly folder: string; readonly names: readonly string[] }> {
  const path = env.PATH ?? "";
  const client = findClient(path, self);
  const target = resolve(cwd, folder);
  const names = compilersIn(path, cwd, target);
  if (names.length === 0) {
    throw new LlamaError("CompilerNotFound", "Cannot make links as PATH has no compiler");
  }
  const isProgram = realFiles.read(client)?.[0] === 0x7f;
  await Deno.mkdir(target, { recursive: true });
  for (const name of names) {
    const link = `${target}/${name}`;
    await removeOwn(link);
    if (isProgram) {
      await Deno.symlink(client, link);
      continue;
    }
    const script = `#!/bin/sh\n# Made by llama toolchain -links.\n` +
      `LLAMACC_ARGV0=${name} exec '${client.replaceAll("'", "'\\''")}' "$@"\n`;
    await Deno.writeTextFile(link, script, { mode: 0o755 });
  }
  return { folder: target, names };
}

/** Path of llamacc: beside the bundle that runs, or in PATH. */
function findClient(path: string, { moduleUrl }: SelfOptions): string {
  const beside = new URL("../../bin/llamacc", moduleUrl);
  const candidates = beside.protocol === "file:" ? [decodeURIComponent(beside.pathname)] : [];
  const inPath = findProgram("llamacc", path, realFiles);
  if (inPath !== undefined) candidates.push(inPath);
  const client = candidates.find((file) => realFiles.stat(file)?.kind === "file");
  if (client !== undefined) return client;
  throw new LlamaError("LlamaccNotFound", "Cannot make links to llamacc as PATH does not have it", {
    hint: "install it, or add its folder to PATH",
  });
}

/** Names of compilers in PATH behind whatever of llamacc's own is there. */
function compilersIn(path: string, cwd: string, target: string): string[] {
  const lookup = createCompilerLookup(realFiles);
  const names = new Set<string>();
  for (const folder of path.split(":")) {
    if (!folder.startsWith("/") || folder === target) continue;
    for (const { name } of realFiles.list(folder) ?? []) {
      if (!COMPILER.test(name) || names.has(name)) continue;
      try {
        lookup.find({ calledAs: name, settings: readSettings({}), env: { PATH: path }, cwd });
        names.add(name);
      } catch (error) {
        // Only llamacc goes by this name.
        if (!(error instanceof LlamaError)) throw error;
      }
    }
  }
  return [...names].toSorted();
}

async function removeOwn(link: string): Promise<void> {
  const state = realFiles.lstat(link);
  if (state === undefined) return;
  const text = state.kind === "file" ? realFiles.read(link) : undefined;
  const isOurs = state.kind === "link" ||
    (text !== undefined && new TextDecoder().decode(text).includes("Made by llama toolchain"));
  if (!isOurs) {
    throw new LlamaError("NotALink", `Cannot make "${link}" as something else is there`);
  }
  await Deno.remove(link);
}
