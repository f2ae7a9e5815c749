import { assertEquals } from "@std/assert";
import { createFolders } from "./folders.ts";
import { createGuesser, settleSearchPath } from "./guess.ts";
import type { HeaderMacros } from "./header_macros.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";

function setUp(tree: Record<string, string>) {
  const files = createMemoryFiles();
  for (const [path, text] of Object.entries(tree)) files.write(path, text);
  files.tick(1000);
  const folders = createFolders(files);
  const guesser = createGuesser(files, folders);
  const guess = (root: string, quote: string[], bracket: string[]) => {
    folders.nextRound();
    return guesser.guess({ roots: [root], search: { quote, bracket }, cwd: "/p" });
  };
  const guessWith = (root: string, bracket: string[], macros: HeaderMacros) => {
    folders.nextRound();
    return guesser.guess({ roots: [root], search: { quote: [], bracket }, cwd: "/p", macros });
  };
  return { files, guess, guessWith, guesser, folders };
}

Deno.test("guess() follows includes through the search path in order", () => {
  const { guess } = setUp({
    "/p/a.c": '#include "x.h"\n#include <x.h>\n#include <y.h>\n',
    "/p/x.h": "",
    "/q/x.h": "",
    "/i/x.h": '#include "z.h"\n',
    "/i/z.h": "",
    "/j/y.h": "",
    "/j/x.h": "",
  });
  assertEquals(guess("/p/a.c", ["/q"], ["/i", "/j"]), [
    "/p/a.c",
    "/p/x.h",
    "/i/x.h",
    "/j/y.h",
    "/i/z.h",
  ]);
});

Deno.test("guess() follows include_next past the folder of the finder", () => {
  const { guess } = setUp({
    "/p/a.c": "#include <x.h>\n",
    "/i/x.h": "#include_next <x.h>\n",
    "/j/x.h": "",
  });
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/i/x.h", "/j/x.h"]);
});

Deno.test("guess() spells paths as the compiler does", () => {
  const { guess } = setUp({ "/p/s/a.c": '#include "../i/x.h"\n', "/p/i/x.h": "" });
  assertEquals(guess("/p/s/a.c", [], []), ["/p/s/a.c", "/p/s/../i/x.h"]);
});

Deno.test("guess() sees a header that appears and shadows another", () => {
  const { files, guess } = setUp({ "/p/a.c": "#include <x.h>\n", "/i/k.h": "", "/j/x.h": "" });
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/j/x.h"]);
  files.write("/i/x.h", "");
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/i/x.h"]);
  files.tick(1000);
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/i/x.h"]);
});

Deno.test("guess() sees a second change within one tick of the clock", () => {
  const { files, guess } = setUp({ "/p/a.c": "#include <x.h>\n", "/j/x.h": "", "/j/y.h": "" });
  files.write("/p/a.c", "#include <y.h>\n");
  assertEquals(guess("/p/a.c", [], ["/j"]), ["/p/a.c", "/j/y.h"]);
  files.write("/i/x.h", "");
  files.remove("/i/x.h");
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/j/y.h"]);
  files.write("/i/y.h", "");
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/i/y.h"]);
});

Deno.test("guess() reads nothing again while nothing changes", () => {
  const { files, guess } = setUp({
    "/p/a.c": "#include <x.h>\n",
    "/i/x.h": "#include <y.h>\n",
    "/i/y.h": "",
  });
  guess("/p/a.c", [], ["/i"]);
  files.calls.clear();
  assertEquals(guess("/p/a.c", [], ["/i"]), ["/p/a.c", "/i/x.h", "/i/y.h"]);
  assertEquals(files.calls.get("read"), undefined);
  assertEquals(files.calls.get("list"), undefined);
});

Deno.test("guess() sees that a link leads to another file, or a folder has become a link", () => {
  const { files, guess } = setUp({
    "/p/a.c": "#include <x.h>\n",
    "/v1/x.h": "#include <one.h>\n",
    "/v2/x.h": "#include <two.h>\n",
    "/i/one.h": "",
    "/i/two.h": "",
  });
  files.link("/sdk", "v1");
  files.tick(1000);
  const found = () => guess("/p/a.c", [], ["/sdk", "/i"]);
  assertEquals(found(), ["/p/a.c", "/sdk/x.h", "/i/one.h"]);
  files.remove("/sdk");
  files.link("/sdk", "v2");
  files.tick(1000);
  assertEquals(found(), ["/p/a.c", "/sdk/x.h", "/i/two.h"]);
  files.remove("/sdk");
  files.write("/sdk/x.h", "");
  files.tick(1000);
  assertEquals(found(), ["/p/a.c", "/sdk/x.h"]);
});

Deno.test("guess() comes to an end where headers include each other", () => {
  const { guess } = setUp({
    "/p/a.c": '#include "a.h"\n',
    "/p/a.h": '#include "b.h"\n#include "a.h"\n',
    "/p/b.h": '#include "a.h"\n#include "a.c"\n',
  });
  assertEquals(guess("/p/a.c", [], []), ["/p/a.c", "/p/a.h", "/p/b.h"]);
});

Deno.test("guess() gives the same array as long as each file of it is the same, and nothing shadows one", () => {
  const { files, guess } = setUp({
    "/p/a.c": '#include "x.h"\n#include <y.h>\n',
    "/i/x.h": "",
    "/j/y.h": "",
  });
  let last = guess("/p/a.c", [], ["/i", "/j"]);
  const isSame = (change: () => void) => {
    change();
    files.tick(1000);
    const before = last;
    last = guess("/p/a.c", [], ["/i", "/j"]);
    return last === before;
  };
  assertEquals(isSame(() => {}), true);
  assertEquals(isSame(() => files.write("/i/other.h", "")), true);
  assertEquals(isSame(() => files.write("/j/y.h", "#include <z.h>\n")), false);
  assertEquals(isSame(() => {}), true);
  assertEquals(isSame(() => files.write("/j/z.h", "")), false);
  assertEquals(isSame(() => files.write("/p/x.h", "")), false);
  assertEquals(last, ["/p/a.c", "/p/x.h", "/j/y.h", "/j/z.h"]);
  assertEquals(isSame(() => files.remove("/j/z.h")), false);
  assertEquals(isSame(() => files.remove("/p/a.c")), false);
  assertEquals(last, []);
  assertEquals(isSame(() => {}), true);
  assertEquals(isSame(() => files.write("/p/a.c", "")), false);
  assertEquals(last, ["/p/a.c"]);
});

Deno.test("guess() never gives the same array for a file that has just changed", () => {
  const { files, guess } = setUp({ "/p/a.c": '#include "x.h"\n', "/p/x.h": "" });
  files.write("/p/x.h", "#include <y.h>\n");
  const before = guess("/p/a.c", [], []);
  // A second change in the same tick of the clock would look alike.
  assertEquals(guess("/p/a.c", [], []) === before, false);
});

Deno.test("guess() takes for a computed include whatever the macro is defined as", () => {
  const { files, guess, guessWith } = setUp({
    "/p/a.c": '#include "names.h"\n#include CONFIG\n#include SYSTEM\n#include UNKNOWN\n',
    "/p/names.h": '#if X\n#  define CONFIG "one.h"\n#else\n#define CONFIG \\\n "two.h"\n#endif\n',
    "/p/one.h": "#define SYSTEM <s.h>\n",
    "/p/two.h": "",
    "/i/s.h": "#include_next SYSTEM\n",
    "/j/s.h": "",
    "/p/line.h": "",
  });
  const all = ["/p/a.c", "/p/names.h", "/p/one.h", "/p/two.h", "/i/s.h", "/j/s.h"];
  const first = guess("/p/a.c", [], ["/i", "/j"]);
  assertEquals(first, all);
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]) === first, true);
  const macros = new Map([["UNKNOWN", [{ name: "line.h", quoted: true }]]]);
  assertEquals(
    guessWith("/p/a.c", ["/i", "/j"], macros).toSorted(),
    [...all, "/p/line.h"].toSorted(),
  );
  files.write("/p/names.h", '#define CONFIG "two.h"\n');
  assertEquals(guess("/p/a.c", [], ["/i", "/j"]), ["/p/a.c", "/p/names.h", "/p/two.h"]);
});

Deno.test("guess() comes to an end where a file goes after its folder was listed", () => {
  const { files, folders, guesser } = setUp({
    "/p/a.c": "#include NAME\n#include <x.h>\n",
    "/p/b.c": '#define NAME "y.h"\n',
    "/p/y.h": "",
    "/i/x.h": "",
  });
  folders.nextRound();
  folders.names("/p");
  folders.names("/i");
  files.remove("/p/y.h");
  files.remove("/i/x.h");
  const roots = ["/p/a.c", "/p/b.c"];
  const search = { quote: [], bracket: ["/i"] };
  assertEquals(guesser.guess({ roots, search, cwd: "/p" }), roots);
});

Deno.test("guess() has what a proof found, what lies beside it, and what both include", () => {
  const { guesser } = setUp({
    "/p/a.c": "#include F(x)\n",
    "/q/one.hpp": "#include <s.h>\n",
    "/q/two.hpp": "",
    "/q/other.txt": "",
    "/i/s.h": "",
  });
  const request = { roots: ["/p/a.c"], search: { quote: [], bracket: ["/i"] }, cwd: "/p" };
  const found = (paths: string[]) => guesser.guess({ ...request, found: paths }).toSorted();
  assertEquals(found([]), ["/p/a.c"]);
  assertEquals(found(["/q/one.hpp"]), ["/i/s.h", "/p/a.c", "/q/one.hpp", "/q/two.hpp"]);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`/q/${index}.h`, ""]));
  const other = setUp({ "/p/a.c": "", ...many });
  assertEquals(other.guesser.guess({ ...request, found: ["/q/1.h"] }), ["/p/a.c", "/q/1.h"]);
});

Deno.test("learn() has other units guess what one with the same computing file needed", () => {
  const { guesser, folders } = setUp({
    "/p/a.c": '#include "pick.h"\n',
    "/p/b.c": '#include "pick.h"\n',
    "/p/c.c": "",
    "/p/pick.h": "#include F(x)\n",
    "/q/one.hpp": "",
    "/q/two.hpp": "",
  });
  const request = (path: string) => {
    return { roots: [path], search: { quote: [], bracket: ["/i"] }, cwd: "/p" };
  };
  const guess = (path: string) => {
    folders.nextRound();
    return guesser.guess(request(path));
  };
  const first = guess("/p/a.c");
  assertEquals([first, guess("/p/b.c")], [["/p/a.c", "/p/pick.h"], ["/p/b.c", "/p/pick.h"]]);
  guess("/p/c.c");
  guesser.learn(request("/p/a.c"), ["/q/one.hpp"]);
  assertEquals(guess("/p/b.c"), ["/p/b.c", "/p/pick.h", "/q/one.hpp", "/q/two.hpp"]);
  assertEquals(guess("/p/a.c"), ["/p/a.c", "/p/pick.h", "/q/one.hpp", "/q/two.hpp"]);
  assertEquals(guess("/p/c.c"), ["/p/c.c"]);
  // What is known is not new.
  const before = guess("/p/b.c");
  guesser.learn(request("/p/b.c"), ["/q/one.hpp"]);
  assertEquals(guess("/p/b.c") === before, true);
});

Deno.test("settleSearchPath() makes folders absolute and drops what is no folder", () => {
  assertEquals(
    settleSearchPath(
      { quote: ["q", "/gone"], bracket: ["i", "/usr/include", "i"] },
      "/p",
      (path) => path !== "/gone",
    ),
    { quote: ["/p/q"], bracket: ["/p/i", "/usr/include"] },
  );
});

Deno.test("guess() finds what the assembler takes from the working folder on, for each unit anew", () => {
  const { guess } = setUp({
    "/q/a.S": '.incbin "x.bin"\n.include "y.inc"\n',
    "/q/x.bin": "",
    "/p/x.bin": "",
    "/i/y.inc": '.include "/abs.inc"\n',
    "/abs.inc": "",
  });
  assertEquals(guess("/q/a.S", [], ["/i"]), ["/q/a.S", "/p/x.bin", "/i/y.inc", "/abs.inc"]);
});

Deno.test("guess() finds a precompiled header beside the header, and does not read it", () => {
  const { guess } = setUp({
    "/p/a.c": '#include "x.h"\n',
    "/p/x.h": "",
    "/p/x.h.gch": '#include "no.h"\n',
    "/p/no.h": "",
  });
  assertEquals(guess("/p/a.c", [], []), ["/p/a.c", "/p/x.h", "/p/x.h.gch"]);
});

const MODES = {
  "/p/a.c": "#include <v.h>\n",
  "/i/v.h": "#ifdef DEBUG\n#include <debug.h>\n#else\n#include <plain.h>\n#endif\n",
  "/i/debug.h": "#include <deep.h>\n",
  "/i/deep.h": "",
  "/i/plain.h": "",
};
const WITHOUT = ["/p/a.c", "/i/v.h", "/i/plain.h"];
const WITH = [...WITHOUT, "/i/debug.h", "/i/deep.h"];

Deno.test("guess() leaves out what needs a macro that nothing defines", () => {
  assertEquals(setUp(MODES).guess("/p/a.c", [], ["/i"]), WITHOUT);
});

Deno.test("guess() takes it where the command line defines the macro", () => {
  const { guesser, folders } = setUp(MODES);
  const guess = (...defined: string[]) => {
    folders.nextRound();
    const search = { quote: [], bracket: ["/i"] };
    return guesser.guess({ roots: ["/p/a.c"], search, cwd: "/p", defined });
  };
  assertEquals(guess("OTHER"), WITHOUT);
  assertEquals(guess("DEBUG").toSorted(), WITH.toSorted());
});

Deno.test("guess() takes it where any file defines the macro, wherever that stands", () => {
  for (
    const tree of [
      { "/p/a.c": "#define DEBUG\n#include <v.h>\n" },
      { "/p/a.c": "#include <v.h>\n#include <w.h>\n", "/i/w.h": "#define DEBUG 1\n" },
      { "/i/plain.h": "#include <w.h>\n", "/i/w.h": "#define DEBUG 1\n" },
      // What one such header defines leads to the next.
      {
        "/i/plain.h":
          "#define X\n#ifdef Y\n#include <w.h>\n#endif\n#ifdef X\n#include <y.h>\n#endif\n",
        "/i/y.h": "#define Y\n",
        "/i/w.h": "#define DEBUG 1\n",
      },
    ]
  ) {
    const found = setUp({ ...MODES, ...tree }).guess("/p/a.c", [], ["/i"]);
    assertEquals(found.includes("/i/deep.h"), true, JSON.stringify(tree));
  }
});

Deno.test("guess() takes it once another unit defines the macro", () => {
  const { files, guess } = setUp({ ...MODES, "/p/b.c": "#define DEBUG\n" });
  assertEquals(guess("/p/a.c", [], ["/i"]), WITHOUT);
  guess("/p/b.c", [], ["/i"]);
  assertEquals(guess("/p/a.c", [], ["/i"]).toSorted(), WITH.toSorted());
  files.calls.clear();
  assertEquals(guess("/p/a.c", [], ["/i"]).toSorted(), WITH.toSorted());
  assertEquals(files.calls.get("read"), undefined);
});

Deno.test("learn() tells of a macro that something unseen defines, to all units", () => {
  const { guess, guesser } = setUp({ ...MODES, "/p/b.c": "#include <v.h>\n" });
  const search = { quote: [], bracket: ["/i"] };
  assertEquals(guess("/p/a.c", [], ["/i"]), WITHOUT);
  guesser.learn({ roots: ["/p/a.c"], search, cwd: "/p" }, ["/i/debug.h"]);
  assertEquals(guess("/p/b.c", [], ["/i"]).includes("/i/deep.h"), true);
  assertEquals(guess("/p/a.c", [], ["/i"]).includes("/i/deep.h"), true);
});
