import { assertEquals } from "@std/assert";
import { listCommand, parseIncludeList } from "./include_list.ts";

Deno.test("listCommand() asks for a list in place of all that the command writes", () => {
  const args = [
    ...["-O2", "-MD", "-MF", "a.d", "-MT", "x", "-I", "inc", "-DX=1", "-Wp,-MD,dep", "-c"],
    ...["-o", "a.o", "a.c", "-S"],
  ];
  assertEquals(
    listCommand({ args }, "/tmp/list").join(" "),
    "-O2 -I inc -DX=1 a.c -w -M -MF /tmp/list",
  );
});

Deno.test("parseIncludeList() reads what compilers write", () => {
  const text = "a.o: a.c \\\n /usr/include/x.h in\\ n/y.h \\\n  c\\#.h d$$.h e:f.h\n";
  assertEquals(
    parseIncludeList(text),
    ["a.c", "/usr/include/x.h", "in n/y.h", "c#.h", "d$.h", "e:f.h"],
  );
  assertEquals(parseIncludeList("a\\ b.o c.o: a.c"), ["a.c"]);
  assertEquals(parseIncludeList("junk"), []);
});
