import { assertEquals } from "@std/assert";
import { compilerEnvironment, localOnlyVariable, translatedBy } from "./environment.ts";

const LOCALES = new Set(["C", "C.utf8", "POSIX", "en_US.utf8", "de_DE.utf8", "de_DE"]);

Deno.test("compilerEnvironment() forwards what compilers read and nothing else", () => {
  assertEquals(
    compilerEnvironment(
      { PATH: "/bin", HOME: "/h", AWS_SECRET_ACCESS_KEY: "s", TERM: "xterm" },
      LOCALES,
    ),
    { PATH: "/bin", TERM: "xterm" },
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

Deno.test("translatedBy() finds the variable that asks for another language", () => {
  const german = (language: string) => language === "de";
  assertEquals(translatedBy({ LANG: "de_DE.UTF-8" }, LOCALES, german), "LANG");
  assertEquals(translatedBy({ LANG: "de_DE.UTF-8", LC_ALL: "C" }, LOCALES, german), undefined);
  assertEquals(translatedBy({ LANG: "de_DE.UTF-8" }, LOCALES, () => false), undefined);
  assertEquals(translatedBy({ LANG: "en_US.UTF-8", LANGUAGE: "de" }, LOCALES, german), "LANG");
  assertEquals(translatedBy({ LANG: "fr_FR.UTF-8", LANGUAGE: "de" }, LOCALES, german), undefined);
});

Deno.test("localOnlyVariable() finds what changes the compiler itself", () => {
  assertEquals(localOnlyVariable({ COMPILER_PATH: "/x", PATH: "/bin" }), "COMPILER_PATH");
  assertEquals(localOnlyVariable({ PATH: "/bin" }), undefined);
});
