/** Which of a build's variables a compilation sees elsewhere, and which of them keep it here. */

/**
 * Variables that a compiler reads and that mean the same there as here: all that gcc 12, clang 14 and
 * binutils 2.40 ask getenv() for, less those below.
 */
const FORWARDED = [
  "PATH",
  "HOME",
  "SOURCE_DATE_EPOCH",
  "GCC_COLORS",
  "GCC_URLS",
  "TERM_URLS",
  "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
  "TERM",
  "COLORTERM",
  "TERMINFO",
  "TERMINFO_DIRS",
  "COLUMNS",
  "NO_COLOR",
  "CPATH",
  "C_INCLUDE_PATH",
  "CPLUS_INCLUDE_PATH",
  "OBJC_INCLUDE_PATH",
  "OBJCPLUS_INCLUDE_PATH",
  "GCC_EXEC_PREFIX",
  "COMPILER_PATH",
  "LIBRARY_PATH",
  "LPATH",
  "TMPDIR",
  "TMP",
  "TEMP",
  "TEMPDIR",
  "POSIXLY_CORRECT",
  "DEB_BUILD_OPTIONS",
  "LLVM_OVERRIDE_PRODUCER",
  "ROCM_PATH",
  "LANG",
  "LANGUAGE",
  "LC_ALL",
  "LC_CTYPE",
  "LC_MESSAGES",
  "LC_COLLATE",
];

/**
 * These have compilers do other things, or have further files written: GCC manual, "Environment Variables Affecting
 * GCC"; clang's driver (clang/tools/driver/driver.cpp); `.secure_log_unique` in the manual of gas. The
 * last two lead libc to data that do not travel.
 */
const LOCAL_ONLY = new Set([
  "DEPENDENCIES_OUTPUT",
  "SUNPRO_DEPENDENCIES",
  "GCC_COMPARE_DEBUG",
  "AS_SECURE_LOG_FILE",
  "CCC_OVERRIDE_OPTIONS",
  "QA_OVERRIDE_GCC3_OPTIONS",
  "CC_PRINT_OPTIONS",
  "CC_PRINT_HEADERS",
  "CC_PRINT_PROC_STAT",
  "CC_LOG_DIAGNOSTICS",
  "FORCE_CLANG_DIAGNOSTICS_CRASH",
  "LOCPATH",
  "GCONV_PATH",
]);

/** Variables that decide which programs a compiler runs. */
const PART_VARIABLES = ["PATH", "GCC_EXEC_PREFIX", "COMPILER_PATH"];

/** The environment in which a compiler runs the programs that it runs for a build. */
export function partEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const parts: Record<string, string> = {};
  for (const name of PART_VARIABLES) {
    const value = env[name];
    if (value !== undefined) parts[name] = value;
  }
  return parts;
}

/** Variables that shape the search for headers. */
const SEARCH_VARIABLES = [
  "GCC_EXEC_PREFIX",
  "COMPILER_PATH",
  "CPATH",
  "C_INCLUDE_PATH",
  "CPLUS_INCLUDE_PATH",
  "OBJC_INCLUDE_PATH",
  "OBJCPLUS_INCLUDE_PATH",
] as const;

/** The environment in which a compiler names its own folders for headers. */
export function searchEnvironment(env: Readonly<Record<string, string>>): Record<string, string> {
  const search: Record<string, string> = { PATH: env.PATH ?? "" };
  for (const name of SEARCH_VARIABLES) {
    const value = env[name];
    if (value !== undefined) search[name] = value;
  }
  return search;
}

/** Variables that name the folder for temporary files, in the order in which compilers ask. */
export const TEMPORARY_VARIABLES = ["TMPDIR", "TMP", "TEMP", "TEMPDIR"] as const;

/** The first variable that demands a local run. */
export function localOnlyVariable(env: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(env).find((name) => LOCAL_ONLY.has(name) || name.startsWith("CLANG_"));
}

/**
 * The environment of a compilation elsewhere, but for PWD. `locales` are the names that `locale -a`
 * prints here.
 */
export function compilerEnvironment(
  env: Readonly<Record<string, string>>,
  locales: ReadonlySet<string>,
): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = env[name];
    if (value === undefined) continue;
    forwarded[name] = name === "LANG" || name.startsWith("LC_")
      ? forwardedLocale(value, locales)
      : value;
  }
  return forwarded;
}

/** Names of the variables that a compilation elsewhere sees. */
export function forwardedNames(env: Readonly<Record<string, string>>): readonly string[] {
  return FORWARDED.filter((name) => env[name] !== undefined);
}

/**
 * The variable for whose locale the compiler has other messages than it has elsewhere: translated ones,
 * or any in another character set than UTF-8. Neither travels; `hasMessages` tells whether there are any
 * for a language.
 */
export function localizedBy(
  env: Readonly<Record<string, string>>,
  locales: ReadonlySet<string>,
  hasMessages: (language: string) => boolean,
): string | undefined {
  for (const category of ["LC_CTYPE", "LC_MESSAGES"]) {
    const name = ["LC_ALL", category, "LANG"].find((name) => env[name]);
    const locale = name === undefined ? undefined : env[name];
    if (name === undefined || locale === undefined || !isInstalled(locale, locales)) continue;
    // LANGUAGE means nothing in these, but it does in C.UTF-8.
    if (locale === "C" || locale === "POSIX") continue;
    if (!isUtf8(locale) || !locales.has("C.utf8")) return name;
    if (category === "LC_CTYPE") continue;
    const languages = [...(env.LANGUAGE ?? "").split(":"), locale].filter(Boolean);
    const codes = languages.flatMap((language) => {
      const plain = language.replace(/[.@].*$/, "");
      return [plain, plain.replace(/_.*$/, "")];
    });
    if (codes.some((code) => code !== "en" && hasMessages(code))) return name;
  }
  return undefined;
}

function isUtf8(locale: string): boolean {
  return /\.utf-?8(?:@|$)/i.test(locale);
}

/**
 * The locale's own data do not travel. One that is not installed here means C. For any other one with
 * UTF-8 C.UTF-8, whose data travel with the toolchain, prints the same text with the same quotation marks.
 */
function forwardedLocale(value: string, locales: ReadonlySet<string>): string {
  if (value === "") return "";
  if (!isInstalled(value, locales)) return "C";
  return isUtf8(value) ? "C.UTF-8" : value;
}

/** glibc takes `en_US.UTF-8` and `en_US.utf8` for the same locale. */
function isInstalled(locale: string, locales: ReadonlySet<string>): boolean {
  const codeset = (name: string) =>
    name.replace(
      /\.([^@]*)/,
      (_, set: string) => `.${set.toLowerCase().replaceAll(/[^a-z0-9]/g, "")}`,
    );
  return /^(?:C|POSIX)$/.test(locale) || locales.has(locale) || locales.has(codeset(locale));
}
