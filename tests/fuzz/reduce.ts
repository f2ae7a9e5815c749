/** Makes a case that differs as small as it can be in few tries. */
import type { FuzzCase } from "./case.ts";

/** Takes away what does not change that `differs` holds, in at most `tries` tries. */
export async function reduceCase(
  fuzzed: FuzzCase,
  differs: (smaller: FuzzCase) => Promise<boolean>,
  tries = 120,
): Promise<FuzzCase> {
  let best = fuzzed;
  let left = tries;
  const attempt = async (smaller: FuzzCase): Promise<boolean> => {
    if (left-- <= 0 || !await differs(smaller)) return false;
    best = smaller;
    return true;
  };
  let progress = true;
  while (progress && left > 0) {
    progress = false;
    for (const smaller of simplerOnes(best)) {
      if (await attempt(smaller)) {
        progress = true;
        break;
      }
    }
  }
  return best;
}

/** Each of a case's neighbours with one thing less. */
function* simplerOnes(fuzzed: FuzzCase): Generator<FuzzCase> {
  const { entries, steps, env, cwd, umask, stdin } = fuzzed;
  if (cwd !== ".") yield { ...fuzzed, cwd: "." };
  if (umask !== 0o022) yield { ...fuzzed, umask: 0o022 };
  if (stdin !== "") yield { ...fuzzed, stdin: "" };
  if (steps.length > 1) { for (const rest of without(steps)) yield { ...fuzzed, steps: rest }; }
  for (const rest of without(Object.entries(env))) {
    yield { ...fuzzed, env: Object.fromEntries(rest) };
  }
  for (const [index, step] of steps.entries()) {
    if (step.kind === "run") continue;
    for (const args of [...without(step.args, 2), ...without(step.args)]) {
      yield { ...fuzzed, steps: steps.toSpliced(index, 1, { kind: "compile", args }) };
    }
  }
  for (const rest of without(entries)) yield { ...fuzzed, entries: rest };
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== "file") continue;
    for (const lines of without(entry.text.split("\n"))) {
      const text = lines.join("\n");
      yield { ...fuzzed, entries: entries.toSpliced(index, 1, { ...entry, text }) };
    }
  }
}

function without<T>(all: readonly T[], count = 1): T[][] {
  return all.slice(count - 1).map((_, index) => all.toSpliced(index, count));
}
