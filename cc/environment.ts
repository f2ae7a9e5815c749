/** Which of a build's variables a compilation sees elsewhere, and which of them keep it here. */

/** Variables that a compiler reads and that mean the same there as here. */
const FORWARDED = [
  "PATH",
  "SOURCE_DATE_EPOCH",
  "GCC_COLORS",
  "TERM",
  "COLUMNS",
  "NO_COLOR",
  "TZ",
  "CPATH",
  "C_INCLUDE_PATH",
  "CPLUS_INCLUDE_PATH",
  "OBJC_INCLUDE_PATH",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_CTYPE",
  "LC_MESSAGES",
  "LC_COLLATE",
];

/** GCC manual, "Environment Variables Affecting GCC": these change what runs or write further files. */
const LOCAL_ONLY = [
  "GCC_EXEC_PREFIX",
  "COMPILER_PATH",
  "DEPENDENCIES_OUTPUT",
  "SUNPRO_DEPENDENCIES",
  "GCC_COMPARE_DEBUG",
];

/** Variables that shape the search for headers. */
export const SEARCH_VARIABLES = [
  "CPATH",
  "C_INCLUDE_PATH",
  "CPLUS_INCLUDE_PATH",
  "OBJC_INCLUDE_PATH",
] as const;

/** The first variable that demands a local run. */
export function localOnlyVariable(env: Readonly<Record<string, string>>): string | undefined {
  return LOCAL_ONLY.find((name) => env[name] !== undefined);
}

/** The environment of a compilation elsewhere, but for PWD. */
export function compilerEnvironment(
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = env[name];
    if (value !== undefined) forwarded[name] = forwardedValue(name, value);
  }
  return forwarded;
}

/**
 * The locale's own data does not travel. For an English UTF-8 locale C.UTF-8, which glibc has built in
 * since 2.35, prints the same text with the same quotation marks.
 */
function forwardedValue(name: string, value: string): string {
  if (name !== "LANG" && !name.startsWith("LC_")) return value;
  return /^en_\w+\.utf-?8$/i.test(value) ? "C.UTF-8" : value;
}
