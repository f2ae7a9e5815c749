import { assertEquals } from "@std/assert";
import { filterWarnings, readSettings } from "./settings.ts";

Deno.test("readSettings() has a default for everything", () => {
  assertEquals(readSettings({ HOME: "/root", LLAMA_DIR: "/x" }), {
    verbose: false,
    local: false,
    remoteAssemble: false,
    functionName: undefined,
    localCc: "cc",
    localCxx: "c++",
    localPreprocess: false,
    fullPreprocess: false,
    buildId: undefined,
    filteredWarnings: new Set<string>(),
    localFallback: true,
    verifyRate: 0,
    guess: true,
    unknown: [],
    complaints: [],
  });
});

Deno.test("readSettings() takes a switch for on unless it is empty or 0", () => {
  for (const [value, on] of [["1", true], ["yes", true], ["0", false], ["", false]] as const) {
    assertEquals(readSettings({ LLAMACC_LOCAL: value }).local, on);
    assertEquals(readSettings({ LLAMACC_VERBOSE: value }).verbose, on);
    assertEquals(readSettings({ LLAMACC_TEST_NO_GUESS: value }).guess, !on);
  }
  assertEquals(readSettings({ LLAMACC_LOCAL_FALLBACK: "0" }).localFallback, false);
  assertEquals(readSettings({ LLAMACC_LOCAL_FALLBACK: "" }).localFallback, true);
});

Deno.test("readSettings() takes an empty name for none", () => {
  const settings = readSettings({
    LLAMACC_FUNCTION: "",
    LLAMACC_LOCAL_CC: "",
    LLAMACC_LOCAL_CXX: "clang++",
    LLAMACC_BUILD_ID: "7",
    LLAMACC_FILTER_WARNINGS: "a,,b=2,",
  });
  assertEquals(
    [settings.functionName, settings.localCc, settings.localCxx, settings.buildId],
    [undefined, "cc", "clang++", "7"],
  );
  assertEquals(settings.filteredWarnings, new Set(["a", "b=2"]));
});

Deno.test("readSettings() takes a rate of verification from 0 to 1, and complains of others", () => {
  const of = (text: string) => readSettings({ LLAMACC_VERIFY: text });
  for (const [text, rate] of [["", 0], ["0", 0], ["1", 1], ["0.05", 0.05], [".5", 0.5]] as const) {
    assertEquals([of(text).verifyRate, of(text).complaints], [rate, []], text);
  }
  for (const text of ["2", "-1", "5%", "yes", "NaN", "1e-2", "."]) {
    assertEquals([of(text).verifyRate, of(text).complaints], [0, [
      `LLAMACC_VERIFY must be a number from 0 to 1, such as 0.05, not "${text}"; ` +
      "nothing is verified",
    ]], text);
  }
});

Deno.test("readSettings() names the variables that mean nothing", () => {
  assertEquals(
    readSettings({ LLAMACC_LOCAL_C: "x", LLAMACC_LOCAL_CC: "x", LLAMA_X: "x" }).unknown,
    ["LLAMACC_LOCAL_C"],
  );
});

Deno.test("filterWarnings() takes out the named warnings and nothing like them", () => {
  const args = ["-Wall", "-Wa,-q", "-Werror=all", "-Wno-all", "-Wallow", "-c", "all", "-Werror"];
  assertEquals(filterWarnings(args, new Set(["all"])), [
    "-Wa,-q",
    "-Wno-all",
    "-Wallow",
    "-c",
    "all",
    "-Werror",
  ]);
  assertEquals(filterWarnings(args, new Set()), args);
});
