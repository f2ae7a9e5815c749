/** Which of a build's variables a compilation sees elsewhere, and which of them keep it here. */

/** Variables that a compiler reads and that mean the same there as here. */
const FORWARDED = [
  "PATH",
  "SOURCE_DATE_EPOCH",
  "GCC_COLORS",
  "TERM",
  "COLUMNS",
  "NO_COLOR",
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
 * The variable for whose language the compiler has other messages than English ones, which do not
 * travel; `hasMessages` tells whether there are any for a language.
 */
export function translatedBy(
  env: Readonly<Record<string, string>>,
  locales: ReadonlySet<string>,
  hasMessages: (language: string) => boolean,
): string | undefined {
  const name = ["LC_ALL", "LC_MESSAGES", "LANG"].find((name) => env[name]);
  const locale = name === undefined ? undefined : env[name];
  if (name === undefined || locale === undefined || isPlain(locale, locales)) return undefined;
  const languages = [...(env.LANGUAGE ?? "").split(":"), locale].filter(Boolean);
  const codes = languages.flatMap((language) => {
    const plain = language.replace(/[.@].*$/, "");
    return [plain, plain.replace(/_.*$/, "")];
  });
  return codes.some((code) => code !== "en" && hasMessages(code)) ? name : undefined;
}

/**
 * The locale's own data do not travel. One that is not installed here means C. For any other one with
 * UTF-8 C.UTF-8, whose data travel with the toolchain, prints the same text with the same quotation marks.
 */
function forwardedLocale(value: string, locales: ReadonlySet<string>): string {
  if (value === "" || isPlain(value, locales)) return value === "" ? "" : plainName(value, locales);
  return /utf-?8/i.test(value) ? "C.UTF-8" : value;
}

function plainName(value: string, locales: ReadonlySet<string>): string {
  return isInstalled(value, locales) ? value : "C";
}

function isPlain(locale: string, locales: ReadonlySet<string>): boolean {
  return /^(?:C|POSIX)(?:\.|$)/.test(locale) || !isInstalled(locale, locales);
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
