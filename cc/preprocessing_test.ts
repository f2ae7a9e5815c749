import { assertEquals } from "@std/assert";
import { readCommandLine } from "./command_line.ts";
import { decide } from "./decision.ts";
import type { Family } from "./options.ts";
import { splitCommand, withoutOnce } from "./preprocessing.ts";

/** Both commands that stand for `command`, blanks between the arguments. */
function split(
  command: string,
  options: { full?: boolean; family?: Family } = {},
): { here: string; there: string } {
  const { full = false, family = "gcc" } = options;
  const args = command.split(" ");
  const decision = decide(readCommandLine(args, family), {
    cxx: false,
    remoteAssemble: false,
    family,
  });
  if (decision.kind !== "remote") throw new Error(`"${command}" is local: ${decision.reason}`);
  const [compilation] = decision.compilations;
  if (!compilation) throw new Error(`"${command}" has no source`);
  const { preprocess, compile } = splitCommand(compilation, {
    full,
    textPath: "/tmp/text",
    family,
  });
  return { here: preprocess.join(" "), there: compile.join(" ") };
}

Deno.test("splitCommand() keeps macros for the compiler elsewhere", () => {
  assertEquals(split("-O2 -DX=1 -I i -c a.c -o out/a.o"), {
    here: "-O2 -DX=1 -I i a.c -fdirectives-only -E -o /tmp/text",
    there: "-O2 -DX=1 -I i /.llama/text/a.c -fpreprocessed -fdirectives-only -c -o out/a.o",
  });
});

Deno.test("splitCommand() expands macros here where that is wanted", () => {
  assertEquals(split("-c a.c", { full: true }), {
    here: "a.c -E -o /tmp/text",
    there: "/.llama/text/a.c -fpreprocessed -c -o a.o",
  });
});

Deno.test("splitCommand() keeps -S and an output in one argument", () => {
  assertEquals(split("-S a.c -oout.s"), {
    here: "a.c -fdirectives-only -E -o /tmp/text",
    there: "/.llama/text/a.c -fpreprocessed -fdirectives-only -S -o out.s",
  });
});

Deno.test("splitCommand() lets only the preprocessor read included files", () => {
  assertEquals(split("-include a.h -imacrosb.h -imacros c.h -includee.h -c d.c"), {
    here: "-include a.h -imacrosb.h -imacros c.h -includee.h d.c -fdirectives-only -E -o /tmp/text",
    there: "/.llama/text/d.c -fpreprocessed -fdirectives-only -c -o d.o",
  });
});

Deno.test("splitCommand() has the dependencies written here, as the whole command would", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["-MMD -c s/a.c", "s/a.c -MMD -MQ a.o -MF a.d -fdirectives-only -E -o /tmp/text"],
    ["-MD -c a.c -o x/b.o", "a.c -MD -MQ x/b.o -MF x/b.d -fdirectives-only -E -o /tmp/text"],
    ["-MD -MF d -MT t -c a.c", "a.c -MD -MF d -MT t -fdirectives-only -E -o /tmp/text"],
    ["-MDx -MP -MFd -c a.c", "-MDx a.c -MP -MFd -fdirectives-only -E -o /tmp/text"],
    ["-MMD -MQt -MP -c a.c", "a.c -MMD -MQt -MP -MF a.d -fdirectives-only -E -o /tmp/text"],
  ];
  for (const [command, here] of cases) {
    assertEquals(split(command).here, here);
    assertEquals(/ -M[^D]/.test(split(command).there), false);
  }
});

Deno.test("splitCommand() keeps the language of the source for both", () => {
  assertEquals(split("-x c++ -c a.c"), {
    here: "-x c++ a.c -fdirectives-only -E -o /tmp/text",
    there: "-x c++ /.llama/text/a.c -fpreprocessed -fdirectives-only -c -o a.o",
  });
});

Deno.test("splitCommand() has clang compile what it would have read, in the source's place", () => {
  assertEquals(split("-O2 -include x.h -MD -c s/a.c", { family: "clang" }), {
    here: "-O2 -include x.h s/a.c -MD -MQ a.o -MF a.d -frewrite-includes -E -o /tmp/text",
    there: "-O2 s/a.c -c -o a.o",
  });
  assertEquals(split("-x c++ -Wp,-MMD,d -DX -I i -c a.c", { family: "clang", full: true }), {
    here: "-x c++ -DX -I i a.c -Wp,-MMD,d -MQ a.o -E -o /tmp/text",
    there: "-x c++ -x c++-cpp-output a.c -c -o a.o",
  });
});

Deno.test("splitCommand() keeps no macros for an assembler", () => {
  assertEquals(split("-g -c s/a.S"), {
    here: "-g s/a.S -E -o /tmp/text",
    there: "-g -x assembler /.llama/text/a.S -c -o a.o",
  });
});

Deno.test("withoutOnce() empties lines that say it, and leaves every other byte", () => {
  const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
  const emptied = (text: string) =>
    String.fromCharCode(...withoutOnce(Uint8Array.from(bytesOf(text))));
  assertEquals(
    emptied('a\x80\xff\n # pragma once\n_Pragma("once")\nb once\n'),
    "a\x80\xff\n\n\nb once\n",
  );
  assertEquals(emptied('#pragma once\nR"(x)"\n'), '#pragma once\nR"(x)"\n');
  assertEquals(emptied("#pragma once_more\n"), "#pragma once_more\n");
});
