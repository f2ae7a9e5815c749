import { assertEquals } from "@std/assert";
import { compilerEnvironment, localizedBy, localOnlyVariable } from "./environment.ts";

const LOCALES = new Set([
  "C",
  "C.utf8",
  "POSIX",
  "en_US.utf8",
  "de_DE.utf8",
  "de_DE",
  "ja_JP.eucjp",
]);

Deno.test("compilerEnvironment() forwards what compilers read and nothing else", () => {
  assertEquals(
    compilerEnvironment(
      { PATH: "/bin", USER: "u", AWS_SECRET_ACCESS_KEY: "s", TERM: "xterm", GCC_URLS: "no" },
      LOCALES,
    ),
    { PATH: "/bin", TERM: "xterm", GCC_URLS: "no" },
  );
});

Deno.test("compilerEnvironment() names a locale that prints the same elsewhere", () => {
  const sent = (locale: string) => compilerEnvironment({ LC_ALL: locale }, LOCALES).LC_ALL;
  assertEquals(sent("C"), "C");
  assertEquals(sent("C.UTF-8"), "C.UTF-8");
  assertEquals(sent("en_US.UTF-8"), "C.UTF-8");
  assertEquals(sent("fr_FR.UTF-8"), "C");
  assertEquals(sent(""), "");
});

Deno.test("localizedBy() finds the variable that asks for another language", () => {
  const german = (language: string): boolean => language === "de";
  const found = (env: Record<string, string>, has = german) => localizedBy(env, LOCALES, has);
  assertEquals(found({ LANG: "de_DE.UTF-8" }), "LANG");
  assertEquals(found({ LANG: "de_DE.UTF-8", LC_ALL: "C" }), undefined);
  assertEquals(found({ LANG: "de_DE.UTF-8", LC_MESSAGES: "C" }), undefined);
  assertEquals(found({ LANG: "de_DE.UTF-8" }, () => false), undefined);
  assertEquals(found({ LANG: "en_US.UTF-8", LANGUAGE: "de" }), "LANG");
  assertEquals(found({ LC_ALL: "C.UTF-8", LANGUAGE: "de" }), "LC_ALL");
  assertEquals(found({ LC_ALL: "C", LANGUAGE: "de" }), undefined);
  assertEquals(found({ LANG: "fr_FR.UTF-8", LANGUAGE: "de" }), undefined);
  assertEquals(found({}), undefined);
});

Deno.test("localizedBy() finds the variable that asks for another character set", () => {
  const found = (env: Record<string, string>, locales: ReadonlySet<string> = LOCALES) =>
    localizedBy(env, locales, () => false);
  assertEquals(found({ LANG: "ja_JP.eucJP" }), "LANG");
  assertEquals(found({ LC_CTYPE: "de_DE", LANG: "en_US.UTF-8" }), "LC_CTYPE");
  // Without C.UTF-8, nothing prints the same elsewhere.
  assertEquals(found({ LANG: "en_US.UTF-8" }, new Set(["en_US.utf8"])), "LANG");
});

Deno.test("localOnlyVariable() finds what changes the compiler itself", () => {
  for (
    const name of ["DEPENDENCIES_OUTPUT", "CCC_OVERRIDE_OPTIONS", "CLANG_CONFIG_FILE_USER_DIR"]
  ) {
    assertEquals(localOnlyVariable({ [name]: "/x", PATH: "/bin" }), name);
  }
  assertEquals(localOnlyVariable({ PATH: "/bin", CPATH: "/x" }), undefined);
});
