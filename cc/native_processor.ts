/**
 * `-march=native` and its kin mean this machine's processor, never the worker's. They are expanded here,
 * in ways that leave no trace in what is made:
 *
 * - GCC's driver expands them by the spec `cc1_cpu` (GCC manual, "Spec Files"; gcc/config/i386/i386.h),
 *   whose function `local_cpu_detect` asks the processor, also for the sizes of its caches. A file for
 *   `-specs=` overrides that spec with what the function says here. So the command stays as it is, and
 *   cc1, which records its own arguments as the producer, gets the same ones.
 * - clang's driver asks the processor without any such seam. There `native` gives way to the processor's
 *   name, and the features go to the compiler proper by `-Xclang`, first of all arguments, so that what
 *   the command says of features still comes behind them.
 */

/** What makes a command mean this machine elsewhere. */
export interface NativeProcessor {
  /** For GCC: text of a file for `-specs=`. */
  readonly specs?: string;
  /** For clang. */
  readonly names?: {
    /** For `-march=native`. */
    readonly arch: string;
    /** For `-mtune=native`. */
    readonly tune: string;
    /** As `+avx2` or `-avx512f`. */
    readonly features: readonly string[];
  };
}

const NATIVE = /^-m(arch|cpu|tune)=native$/;
/** A macro that marks where an expansion begins among the arguments of cc1. */
const MARK = "-DLLAMA_EXPANSION=";
const DETECT = /%:local_cpu_detect\([^()]*\)/g;
/** By these clang writes the command into what it makes, or prints it. */
const TELLING = /^(?:-g(?:record-command-line|record-gcc-switches)|-frecord-.*|-v|-save-temps.*)$/;

/** Whether a command asks for this machine's processor. */
export function asksForNative(args: Iterable<string>): boolean {
  return Iterator.from(args).some((arg) => NATIVE.test(arg));
}

/** Arguments that decide what `native` becomes. */
export function machineArgs(args: readonly string[]): string[] {
  const found: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "-mllvm") index++;
    else if (arg === "-target") found.push(arg, args[++index] ?? "");
    else if (/^(?:-m.|--target=)/.test(arg)) found.push(arg);
  }
  return found;
}

/** Whether clang can be told the processor in this command without a trace. */
export function hidesProcessor(args: readonly string[]): boolean {
  return !args.some((arg) => TELLING.test(arg));
}

/**
 * Text of a specs file by which GCC's driver prints its expansions, given what `-dumpspecs` prints;
 * `undefined` if it does not ask the processor, or elsewhere, too.
 */
export function probeSpecs(dumped: string): string | undefined {
  const calls = cpuSpec(dumped)?.match(DETECT);
  if (!calls || calls.length !== dumped.match(DETECT)?.length) return undefined;
  const marked = calls.map((call, index) => `${MARK}${index} ${call}`).join(" ");
  return `*cc1_cpu:\n${marked} ${MARK}end\n\n`;
}

/** The override, given also what the driver prints of its commands by `-###` and the probe. */
export function nativeSpecs(dumped: string, commands: string): string | undefined {
  const expansions: string[] = [];
  const line = commands.split("\n").find((line) => line.includes(MARK));
  const words = line === undefined ? [] : splitCommand(line);
  for (const word of words.slice(words.findIndex((word) => word.startsWith(MARK)))) {
    if (word === `${MARK}end`) {
      const spec = cpuSpec(dumped)?.replaceAll(DETECT, () => expansions.shift() ?? "");
      return spec === undefined ? undefined : `*cc1_cpu:\n${spec}\n\n`;
    }
    const last = expansions.length - 1;
    if (word.startsWith(MARK)) expansions.push("");
    else expansions[last] = `${expansions[last]} ${word}`.trim();
  }
  return undefined;
}

/** What `clang -###` says of an x86 processor. */
export function clangProcessor(commands: string): NativeProcessor | undefined {
  const line = commands.split("\n").findLast((line) => line.includes(' "-cc1" '));
  const words = line === undefined ? [] : splitCommand(line);
  const valuesOf = (name: string) =>
    words.flatMap((word, index) => word === name ? [words[index + 1] ?? ""] : []);
  const arch = valuesOf("-target-cpu").at(-1);
  if (arch === undefined || !/^(?:x86_64|i\d86)-/.test(valuesOf("-triple")[0] ?? "")) {
    return undefined;
  }
  const tune = valuesOf("-tune-cpu").at(-1) ?? arch;
  return { names: { arch, tune, features: valuesOf("-target-feature") } };
}

/** The command as it means this processor; `specsPath` is where the worker has the specs. */
export function withProcessor(
  args: readonly string[],
  { specs, names }: NativeProcessor,
  specsPath: string,
): string[] {
  if (specs !== undefined || !names) return [`-specs=${specsPath}`, ...args];
  const { arch, tune, features } = names;
  return [
    ...features.flatMap((feature) => ["-Xclang", "-target-feature", "-Xclang", feature]),
    ...args.map((arg) =>
      arg === "-march=native" ? `-march=${arch}` : arg === "-mtune=native" ? `-mtune=${tune}` : arg
    ),
  ];
}

function cpuSpec(dumped: string): string | undefined {
  return /^\*cc1_cpu:\n(.*)$/m.exec(dumped)?.[1];
}

/** Words of a command that `-###` prints: a word may be quoted, with a backslash in front of `"` and `\`. */
function splitCommand(line: string): string[] {
  return Array.from(
    line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g),
    ([, quoted, plain]) => plain ?? (quoted ?? "").replaceAll(/\\(.)/g, "$1"),
  );
}
