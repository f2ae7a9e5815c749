/**
 * Holds the option table (cc/options.ts) against the compilers that are installed: every name that they
 * complete or print is tried with a file behind it. `deno task options [COMPILER...]`; exit status 1 if an
 * option takes its value otherwise than the table says.
 */
import { familyOf } from "../cc/family.ts";
import { findProgram } from "../cc/toolchain.ts";
import { realFiles } from "../daemon/real_files.ts";
import { allNames, probeOptions } from "./option_probe.ts";

/** Tried unless others are named. */
const COMPILERS = ["gcc", "g++", "gcc-11", "g++-11", "aarch64-linux-gnu-gcc", "clang", "clang++"];

async function main(asked: readonly string[]): Promise<number> {
  const path = Deno.env.get("PATH") ?? "";
  const compilers = (asked.length > 0 ? asked : COMPILERS).filter((name) =>
    findProgram(name, path, realFiles) !== undefined
  );
  let differences = 0;
  for (const compiler of compilers) {
    const family = familyOf(findProgram(compiler, path, realFiles) ?? compiler, realFiles);
    const names = await allNames(compiler);
    const { tried, missing, extra, unclear } = await probeOptions(compiler, family, names);
    differences += missing.length + extra.length;
    await say(`${compiler}: ${tried} options, ${unclear.length} of them refused or without effect`);
    for (const name of missing) {
      await say(`  ${name} takes the next argument, and the table has it not`);
    }
    for (const name of extra) await say(`  ${name} takes no next argument, and the table says so`);
  }
  return differences > 0 || compilers.length === 0 ? 1 : 0;
}

async function say(line: string): Promise<void> {
  const writer = Deno.stdout.writable.getWriter();
  try {
    await writer.write(new TextEncoder().encode(`${line}\n`));
  } finally {
    writer.releaseLock();
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
