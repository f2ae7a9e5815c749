/**
 * What it takes to find the headers of a unit, with their states and digests, beside the preprocessor and
 * clang-scan-deps in the same run. All of it is CPU of whole processes.
 */
import process from "node:process";
import type { FileSystem } from "../cc/file_system.ts";
import { createGuessAdder } from "../cc/guessed_inputs.ts";
import { createInputSet } from "../cc/inputs.ts";
import { parseSearchPath, type SearchPath } from "../cc/search_path.ts";
import { realFiles, realProcesses } from "../daemon/real_files.ts";
import { openRealTools } from "../daemon/real_tools.ts";
import { run } from "../scripts/demo/tools.ts";
import { childrenCpu, type Options, type Row } from "./measure.ts";

/** Standard headers that come to 204 files with GCC 12, and headers of the project itself: 230. */
const STANDARD = ["algorithm", "iostream", "map", "string", "vector"];
const STANDARD_FILES = 204;
const OWN = 26;
const UNITS = 200;
/** As many as the peers are given. */
const PEER_UNITS = 50;
const SIZES = [10, 100, 1000, 10_000];

/** One search for headers from nothing, and further ones with its memory. */
interface Search {
  /** Finds the inputs of a unit, in a round of its own, and returns how many there are. */
  find(source: string): Promise<number>;
}

/** Opens a search; with a clock that leaps, no state is young enough to be taken for another unit. */
function openSearch(search: SearchPath, cwd: string, leapMs = 10_000): Search {
  let rounds = 0;
  const files: FileSystem = {
    ...realFiles,
    now: () => Date.now() + rounds * leapMs,
    settleMs: realFiles.settleMs,
  };
  const tools = openRealTools(files);
  const addGuess = createGuessAdder(tools);
  return {
    find: async (source) => {
      rounds++;
      tools.folders.nextRound();
      const set = createInputSet();
      await addGuess(set, tools.guesser.guess({ roots: [source], search, cwd }));
      return set.states.size;
    },
  };
}

/** CPU of this process, in milliseconds, for each of `times` calls. */
async function cpuOf(times: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let index = 0; index < times; index++) await work(index);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / times;
}

/** Rows of the bench. */
export async function guessRows(options: Options): Promise<Row[]> {
  const folder = `${options.cwd}/guess`;
  const units = await writeUnits(folder);
  const search = await searchPath(folder);
  const rows: Row[] = [];
  const add = (what: string, cpuMs: number, note = "") => rows.push({ what, cpuMs, note });
  const [first = "", ...others] = units;

  let guessed = 0;
  const findAll = async () => guessed = await openSearch(search, folder).find(first);
  const firstOfProcess = await cpuOf(1, findAll);
  for (let warm = 0; warm < 20; warm++) await findAll();
  const cold = await cpuOf(20, findAll);
  const seen = async (leapMs: number) => {
    const known = openSearch(search, folder, leapMs);
    for (let warm = 0; warm < 300; warm++) await known.find(first);
    return {
      next: await cpuOf(others.length, (index) => known.find(others[index] ?? "")),
      again: await cpuOf(2000, (index) => known.find(units[index % units.length] ?? "")),
    };
  };
  const build = await seen(0);
  const anew = await seen(10_000);
  const unit = `headers of a C++ unit of ${STANDARD_FILES + OWN} (${guessed} guessed)`;
  add(`${unit}, seen before, in a build`, build.again, "states of /usr asked once a second");
  add(`${unit}, seen before`, anew.again, "each state asked anew");
  add(`${unit}, a new unit, its headers seen before, in a build`, build.next, "as above");
  add(`${unit}, a new unit, its headers seen before`, anew.next, "each state asked anew");
  add(`${unit}, with nothing known`, cold, "each header read and hashed");
  add(`${unit}, with nothing known`, firstOfProcess, "the same, first of a process");

  const inFolder = { ...options, cwd: folder };
  const some = units.slice(0, PEER_UNITS);
  const preprocess = some.map((unit) => `g++ -M ${unit}`).join("\n");
  add("g++ -M", await childrenCpu(preprocess, inFolder) / some.length);
  const find = "command -v clang-scan-deps || ls /usr/bin/clang-scan-deps-* 2>/dev/null || :";
  const [scanner = ""] = (await run(["sh", "-c", find], options)).split("\n");
  if (scanner !== "") {
    const scan = async (files: readonly string[]) => {
      const commands = files.map((file) => ({
        directory: folder,
        file,
        command: `clang++ -c ${file} -o ${file}.o`,
      }));
      await Deno.writeTextFile(`${folder}/compile_commands.json`, JSON.stringify(commands));
      const command = `${scanner} -j 1 -compilation-database compile_commands.json`;
      return await childrenCpu(command, inFolder) / files.length;
    };
    add("clang-scan-deps, one unit", await scan([first]));
    add(`clang-scan-deps, ${some.length} units in one run`, await scan(some));
  }
  for (const size of SIZES) {
    const source = await writeMany(`${folder}/many${size}`, size);
    const many = () => openSearch({ quote: [], bracket: [] }, folder);
    const times = Math.ceil(2000 / size);
    const coldMs = await cpuOf(times, () => many().find(source));
    const memory = many();
    await memory.find(source);
    const warmMs = await cpuOf(times * 5, () => memory.find(source));
    add(`${size} headers, with nothing known`, coldMs, `${perHeader(coldMs, size)} each`);
    add(`${size} headers, seen before`, warmMs, `${perHeader(warmMs, size)} each`);
  }
  return rows;
}

function perHeader(ms: number, headers: number): string {
  return `${(ms * 1000 / headers).toFixed(1)} µs`;
}

async function writeUnits(folder: string): Promise<string[]> {
  await Deno.mkdir(folder);
  const own = Array.from({ length: OWN }, (_, index) => `own${index}.h`);
  for (const [index, name] of own.entries()) {
    const next = own[index + 1];
    const text = `#pragma once\n${
      next ? `#include "${next}"\n` : ""
    }inline int f${index}() { return 1; }\n`;
    await Deno.writeTextFile(`${folder}/${name}`, text);
  }
  const includes = [...STANDARD.map((name) => `<${name}>`), '"own0.h"'];
  const units: string[] = [];
  for (let index = 0; index < UNITS; index++) {
    const path = `${folder}/unit${index}.cc`;
    const text = includes.map((name) => `#include ${name}\n`).join("");
    await Deno.writeTextFile(path, `${text}int unit${index}() { return f0(); }\n`);
    units.push(path);
  }
  return units;
}

/** A source that includes ten headers, each of which includes ten, and so on. */
async function writeMany(folder: string, count: number): Promise<string> {
  await Deno.mkdir(folder);
  for (let index = 0; index < count; index++) {
    const below = Array.from({ length: 10 }, (_, child) => index * 10 + child + 1);
    const text = below.filter((child) => child < count)
      .map((child) => `#include "h${child}.h"\n`).join("");
    await Deno.writeTextFile(
      `${folder}/h${index}.h`,
      `#pragma once\n${text}extern int x${index};\n`,
    );
  }
  await Deno.writeTextFile(`${folder}/a.c`, '#include "h0.h"\n');
  return `${folder}/a.c`;
}

async function searchPath(cwd: string): Promise<SearchPath> {
  const args = ["-v", "-E", "-x", "c++", "/dev/null", "-o", "/dev/null"];
  const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", LC_ALL: "C" };
  const { stderr } = await realProcesses.run("/usr/bin/env", ["g++", ...args], { cwd, env });
  return parseSearchPath(stderr, "g++");
}
