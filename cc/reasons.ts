/** Why a command runs here: every reason that a decision can name, with a sentence for people. */

/** Reasons that statistics count and `llamacc --explain` prints, sorted. */
export const REASONS = {
  "LLAMACC_LOCAL": "The variable LLAMACC_LOCAL asks for local runs",
  "appends": "The compiler adds to a file that is there",
  "assembler": "Assembler without macros is quick; LLAMACC_REMOTE_ASSEMBLE=1 sends it away",
  "assembler-options": "An option for the assembler changes what it does beyond its output",
  "broken-output":
    "What the compiler prints cannot be written, of which only it knows what follows",
  "clang-options": "An option of clang's own changes what is made",
  "compiler-runner": "The compiler is run by another program, such as ccache",
  "compiler-script": "The compiler is a script, which may do anything",
  "compiler-setuid": "The compiler runs as another user",
  "config-file": "A configuration file of clang holds options that are not known here",
  "configure-probe": "A check of configure or CMake is small and waits for its answer",
  "depend-generated": "The option -MG takes files for there that are not",
  "depend-only": "A run that only lists dependencies is quicker here",
  "driver-mode": "The option --driver-mode makes clang read its options in another way",
  "extra-output": "An option writes further files whose names are not known here",
  "file-size-limit": "A limit of the shell stands for the size of files, which ends the compiler",
  "language": "The language is none that llamacc compiles elsewhere",
  "link": "Linking needs all objects, which are here",
  "missing-value": "An option lacks its value, which only the compiler can complain about",
  "modules": "Modules depend on files that other compilations write meanwhile",
  "native-processor": "Elsewhere this compiler cannot be told which processor this machine has",
  "no-compilation": "The compiler is only asked about itself, or compiles nothing",
  "no-source": "The command names no source",
  "no-such-source": "A source cannot be opened, which only the compiler can complain about",
  "no-working-folder": "The working folder is gone, or cannot be told",
  "not-utf8": "An argument, path or variable is no UTF-8 text",
  "output-is-input": "The compiler writes over a file that it reads",
  "plugin-argument": "An argument of a plugin looks like the name of a file, which it may write",
  "precompiled-headers":
    "The compiler tries the precompiled headers of a folder in no order of theirs",
  "precompiling": "A precompiled header is only good for the compiler that made it here",
  "preprocess-only": "A run that only preprocesses is quicker here",
  "preprocessor-options": "An option for the preprocessor changes what is made",
  "preprocessor-words": "The preprocessor, which runs here, has something to say",
  "response-file": "A response file cannot be read, which only the compiler can complain about",
  "same-file": "A source is an output of the command, too",
  "several-sources": "Several sources share an output, or stand beside files for the linker",
  "special-output": "An output is a device, a FIFO or the like",
  "stdin-source": "The source comes from standard input",
  "umask": "The umask keeps the compiler from its own files",
  "unwritable-output": "An output, or its folder, cannot be written",
  "verbose": "The compiler tells which programs it runs and how",
  "working-folder": "The option -working-directory changes what relative paths mean",
  "wrapper": "The option -wrapper runs the compiler's programs through another one",
} as const;

/** A reason of a decision. */
export type LocalReason = keyof typeof REASONS;

/** A sentence for a reason; a variable's name is one, too, as that variable alone demands it. Empty for any other. */
export function explainReason(reason: string): string {
  for (const [name, sentence] of Object.entries(REASONS)) if (name === reason) return sentence;
  return /^[A-Z][A-Z0-9_]*$/.test(reason)
    ? `The variable ${reason} changes what the compiler does or prints`
    : "";
}
