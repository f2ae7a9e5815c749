import { assertEquals } from "@std/assert";
import { commandLine, shellQuote } from "./shell_quote.ts";

const WORDS = [
  "",
  "plain",
  "a b",
  "it's",
  '$(x) `y` \\ "',
  "new\nline",
  "tab\t'\\",
  "\x01\x7f",
  "é",
  "-n",
];

async function bash(script: string): Promise<string[]> {
  const { stdout } = await new Deno.Command("bash", { args: ["--norc", "-c", script] }).output();
  return new TextDecoder().decode(stdout).split("\0").slice(0, -1);
}

Deno.test("commandLine() is one line that bash reads back as the same words", async () => {
  const line = commandLine(WORDS);
  assertEquals(line.includes("\n"), false);
  assertEquals(await bash(`printf '%s\\0' ${line}`), WORDS);
});

Deno.test("shellQuote() leaves plain words as they are and quotes all others", async () => {
  assertEquals(["a-b_c.d/e:f=1,+@%", ""].map(shellQuote), ["a-b_c.d/e:f=1,+@%", "''"]);
  assertEquals(await bash(`printf '%s\\0' ${WORDS.map(shellQuote).join(" ")}`), WORDS);
});
