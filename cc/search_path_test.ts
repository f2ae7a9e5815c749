import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { recordedProcesses } from "./recorded_processes_fixture.ts";
import { builtInSearchPath, parseSearchPath } from "./search_path.ts";

const PRINTED = `Target: x86_64-linux-gnu
ignoring nonexistent directory "/usr/local/include/x86_64-linux-gnu"
#include "..." search starts here:
 quoted folder
#include <...> search starts here:
 /usr/lib/gcc/x86_64-linux-gnu/12/include
 /usr/local/include
 /System/Frameworks (framework directory)
End of search list.
COMPILER_PATH=/usr/lib/gcc
`;

Deno.test("parseSearchPath() reads both lists", () => {
  assertEquals(parseSearchPath(PRINTED, "gcc"), {
    quote: ["quoted folder"],
    bracket: [
      "/usr/lib/gcc/x86_64-linux-gnu/12/include",
      "/usr/local/include",
      "/System/Frameworks",
    ],
  });
});

Deno.test("parseSearchPath() takes empty lists, and none of the quoted", () => {
  const text = "#include <...> search starts here:\nEnd of search list.\n";
  assertEquals(parseSearchPath(text, "gcc"), { quote: [], bracket: [] });
});

Deno.test("parseSearchPath() says if there is no list", () => {
  const text = PRINTED.replace("End of search list.", "gcc: error");
  for (const wrong of ["", "gcc: fatal error: no input files\n", text]) {
    assertThrows(
      () => parseSearchPath(wrong, "gcc"),
      FormatError,
      'Cannot read the search path of "gcc": it prints no list of folders',
    );
  }
});

Deno.test("builtInSearchPath() asks with the flags that shape the search, in plain English", async () => {
  const processes = recordedProcesses(() => ({ code: 0, stdout: "", stderr: PRINTED }));
  const path = await builtInSearchPath(processes, "/usr/bin/g++", {
    language: "c++",
    flags: ["-nostdinc++", "--sysroot=/x"],
    cwd: "/p",
    env: { CPATH: "/i", LC_ALL: "de_DE" },
  });
  assertEquals(path.quote, ["quoted folder"]);
  assertEquals(processes.calls, [{
    command: "/usr/bin/g++ -v -E -nostdinc++ --sysroot=/x -x c++ /dev/null -o /dev/null",
    cwd: "/p",
    env: { CPATH: "/i", LC_ALL: "C" },
  }]);
});
