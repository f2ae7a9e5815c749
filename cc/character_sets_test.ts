import { assertEquals } from "@std/assert";
import { characterSets, converterFiles } from "./character_sets.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";

Deno.test("characterSets() reads the options that name one", () => {
  const args = ["-finput-charset=latin1", "-fexec-charset=UTF-8", "-fwide-exec-charset=x", "-fx=y"];
  assertEquals(characterSets(args), ["LATIN1", "UTF-8", "X"]);
});

Deno.test("converterFiles() finds the modules through aliases, and what they share", () => {
  const files = createMemoryFiles();
  files.write(
    "/lib/gconv/gconv-modules",
    "# from to module cost\nalias\tL1//\t\tISO-8859-1//\nalias LATIN1// L1//\n" +
      "module\tISO-8859-1//\tINTERNAL\tISO8859-1\t1\nmodule INTERNAL ISO-8859-1// ISO8859-1 1\n",
  );
  files.write(
    "/lib/gconv/gconv-modules.d/extra.conf",
    "module EUC-JP// INTERNAL EUC-JP 1\nmodule KOI8-R// INTERNAL KOI8-R 1\n",
  );
  files.write("/lib/gconv/gconv-modules.d/notes.txt", "module UTF-8// INTERNAL X 1\n");
  files.write("/lib/gconv/libJIS.so", "");
  files.write("/lib/gconv/KOI8-R.so", "");
  const lists = ["/lib/gconv/gconv-modules", "/lib/gconv/gconv-modules.d/extra.conf"];
  const found = (...sets: string[]) => converterFiles(sets, ["/none", "/lib"], files);
  assertEquals(found("LATIN1"), [
    ...lists,
    "/lib/gconv/ISO8859-1.so",
    "/lib/gconv/libJIS.so",
  ]);
  assertEquals(found("EUC-JP//TRANSLIT"), [
    ...lists,
    "/lib/gconv/EUC-JP.so",
    "/lib/gconv/libJIS.so",
  ]);
  assertEquals(found("UTF-8"), [...lists, "/lib/gconv/libJIS.so"]);
  assertEquals(found(), []);
});
