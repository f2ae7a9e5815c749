import { assert, assertEquals } from "@std/assert";
import { createFolders } from "./folders.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";

function setUp(paths: readonly string[]) {
  const files = createMemoryFiles();
  for (const path of paths) files.write(path, "");
  files.tick(1000);
  const folders = createFolders(files);
  const later = () => {
    files.tick(1000);
    folders.nextRound();
  };
  return { files, folders, later };
}

Deno.test("entry() tells the kind of a name", () => {
  const { files, folders } = setUp(["/p/a.c", "/p/s/b.c"]);
  files.link("/p/l", "gone");
  assertEquals(
    ["a.c", "s", "l", "none"].map((name) => folders.entry("/p", name)),
    ["file", "folder", "link", undefined],
  );
  assertEquals(folders.entry("/none", "a.c"), undefined);
  assertEquals(folders.entry("/p/a.c", "x"), undefined);
  assertEquals(folders.names("/p/a.c"), undefined);
  assertEquals([...folders.names("/p/s") ?? []], [["b.c", "file"]]);
});

Deno.test("a folder is looked at once a round, and listed again only when it has changed", () => {
  const { files, folders, later } = setUp(["/p/a.c"]);
  const round = () => {
    files.calls.clear();
    for (const name of ["a.c", "x", "y"]) folders.entry("/p", name);
    return [files.calls.get("stat"), files.calls.get("list")];
  };
  assertEquals(round(), [1, 1]);
  assertEquals(round(), [undefined, undefined]);
  later();
  assertEquals(round(), [1, undefined]);
  files.write("/p/x", "");
  later();
  assertEquals(round(), [1, 1]);
  assertEquals(folders.entry("/p", "x"), "file");
});

Deno.test("within a round the answers stay as they were", () => {
  const { files, folders } = setUp(["/p/a.c"]);
  assertEquals(folders.entry("/p", "b.c"), undefined);
  assertEquals(folders.stat("/p/b.c"), undefined);
  files.tick(1000);
  files.write("/p/b.c", "");
  assertEquals(folders.entry("/p", "b.c"), undefined);
  assertEquals(folders.stat("/p/b.c"), undefined);
  const before = folders.round;
  folders.nextRound();
  assert(folders.round > before);
  assertEquals(folders.entry("/p", "b.c"), "file");
  assertEquals(folders.stat("/p/b.c")?.kind, "file");
});

Deno.test("two changes within one tick of the clock are both seen", () => {
  const { files, folders } = setUp(["/p/a.c"]);
  files.write("/p/b.c", "");
  assertEquals(folders.entry("/p", "c.c"), undefined);
  // The folder has the same state after this as it had when it was listed.
  files.write("/p/c.c", "");
  folders.nextRound();
  assertEquals(folders.entry("/p", "c.c"), "file");
});

Deno.test("a folder that comes, goes and comes back is seen each time", () => {
  const { files, folders, later } = setUp(["/a.c"]);
  assertEquals(folders.entry("/p", "x"), undefined);
  files.write("/p/x", "");
  later();
  assertEquals(folders.entry("/p", "x"), "file");
  files.remove("/p/x");
  files.remove("/p");
  later();
  assertEquals([folders.entry("/p", "x"), folders.names("/p")], [undefined, undefined]);
  files.write("/p/x", "");
  later();
  assertEquals(folders.entry("/p", "x"), "file");
});

Deno.test("answerGeneration grows only when a name that was minded comes, goes or changes kind", () => {
  const { files, folders, later } = setUp(["/p/a.c"]);
  const grows = (change: () => void) => {
    const before = folders.answerGeneration;
    change();
    later();
    folders.refresh("/p");
    return folders.answerGeneration > before;
  };
  folders.answer("/p", "asked");
  assertEquals(grows(() => {}), false);
  assertEquals(grows(() => files.write("/p/other", "")), false);
  assertEquals(grows(() => files.write("/p/asked", "")), true);
  assertEquals(grows(() => files.remove("/p/other")), false);
  assertEquals(
    grows(() => {
      files.remove("/p/asked");
      files.folder("/p/asked");
    }),
    true,
  );
  assertEquals(grows(() => files.remove("/p/asked")), true);
  assertEquals(grows(() => files.remove("/p/a.c")), false);
});

Deno.test("answerGeneration grows when a folder appears that holds a name that was minded", () => {
  const { files, folders, later } = setUp(["/a.c"]);
  folders.answer("/gen", "x.h");
  const before = folders.answerGeneration;
  files.write("/gen/x.h", "");
  later();
  folders.refresh("/gen");
  assert(folders.answerGeneration > before);
});

Deno.test("shapeGeneration grows when folders or links change, and not with files", () => {
  const { files, folders, later } = setUp(["/p/a.c", "/p/s/b.c"]);
  const grows = (change: () => void) => {
    const before = folders.shapeGeneration;
    change();
    later();
    folders.refresh("/p");
    return folders.shapeGeneration > before;
  };
  folders.refresh("/p");
  assertEquals(grows(() => files.write("/p/b.c", "")), false);
  assertEquals(grows(() => files.remove("/p/b.c")), false);
  assertEquals(grows(() => files.folder("/p/t")), true);
  assertEquals(grows(() => files.write("/p/c.c", "")), false);
  assertEquals(
    grows(() => {
      files.remove("/p/t");
      files.link("/p/t", "s");
    }),
    true,
  );
  // The same name, and a link before and after.
  assertEquals(
    grows(() => {
      files.remove("/p/t");
      files.link("/p/t", "elsewhere");
    }),
    true,
  );
  assertEquals(grows(() => files.remove("/p/t")), true);
});

Deno.test("a folder that can be entered but not listed is asked name by name", () => {
  const { files } = setUp(["/p/a.c", "/p/s/b.c"]);
  const folders = createFolders({
    ...files,
    list: (path) => path === "/p" ? undefined : files.list(path),
  });
  assertEquals(folders.names("/p"), undefined);
  assertEquals(
    ["a.c", "s", "none"].map((name) => folders.answer("/p", name)),
    ["file", "folder", undefined],
  );
});

Deno.test("what the system has installed is looked at once a second, and by a proof each time", () => {
  const { files, folders } = setUp(["/usr/include/a.h", "/usr/src/b.h"]);
  folders.nextRound();
  const sizes = () => ["/usr/include/a.h", "/usr/src/b.h"].map((path) => folders.stat(path)?.size);
  assertEquals(sizes(), [0, 0]);
  files.write("/usr/include/a.h", "new");
  files.write("/usr/src/b.h", "new");
  files.tick(10);
  folders.nextRound();
  assertEquals(sizes(), [0, 3]);
  assertEquals(folders.freshly(sizes), [3, 3]);
  assertEquals(sizes(), [3, 3]);
  files.write("/usr/include/a.h", "newer");
  files.tick(2000);
  folders.nextRound();
  assertEquals(sizes(), [5, 3]);
});

Deno.test("a name that appears where the system installs is seen by a proof at once", () => {
  const { files, folders } = setUp(["/usr/include/a.h"]);
  folders.nextRound();
  assertEquals(folders.answer("/usr/include", "b.h"), undefined);
  files.tick(500);
  files.write("/usr/include/b.h", "");
  folders.nextRound();
  assertEquals(folders.answer("/usr/include", "b.h"), undefined);
  assertEquals(folders.freshly(() => folders.answer("/usr/include", "b.h")), "file");
  assertEquals(folders.answer("/usr/include", "b.h"), "file");
});

Deno.test("an absent folder is not looked for while the folder above it has no such name", () => {
  const { files, folders, later } = setUp(["/p/a.c"]);
  const ask = () => folders.entry("/p/s/t/u", "x");
  const looks = () => {
    files.calls.clear();
    const found = ask();
    return [found, files.calls.get("stat") ?? 0];
  };
  ask();
  later();
  ask();
  later();
  // That of "/p" is the one; nothing is below it.
  assertEquals(looks(), [undefined, 1]);
  assertEquals(folders.stat("/p/s/t/u"), undefined);
  files.write("/p/s/other", "");
  later();
  assertEquals(looks()[0], undefined);
  files.write("/p/s/t/u/x", "");
  later();
  assertEquals(looks()[0], "file");
  assertEquals(folders.stat("/p/s/t/u")?.kind, "folder");
  files.remove("/p/s/t/u/x");
  files.remove("/p/s/t/u");
  files.write("/p/s/t/u", "");
  later();
  assertEquals(looks()[0], undefined);
  assertEquals(folders.stat("/p/s/t/u")?.kind, "file");
});

Deno.test("an absent folder appears as a link, and by way of a link above it", () => {
  const { files, folders, later } = setUp(["/q/t/x", "/p/a.c"]);
  const ask = () => [folders.entry("/p/l", "x"), folders.entry("/p/m/t", "x")];
  assertEquals(ask(), [undefined, undefined]);
  files.link("/p/l", "/q/t");
  files.link("/p/m", "/q");
  later();
  assertEquals(ask(), ["file", "file"]);
  files.remove("/p/m");
  files.link("/p/m", "/none");
  later();
  assertEquals(ask(), ["file", undefined]);
});

Deno.test("a folder reached by dots is looked for each time, as no folder has dots among its names", () => {
  const { files, folders, later } = setUp(["/p/x.h"]);
  const ask = () => [folders.entry("/p/none/..", "x.h"), folders.entry("/p/none/.", "x.h")];
  assertEquals(ask(), [undefined, undefined]);
  later();
  assertEquals(ask(), [undefined, undefined]);
  files.write("/p/none/x.h", "");
  later();
  assertEquals(ask(), ["file", "file"]);
});
