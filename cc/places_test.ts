import { assertEquals } from "@std/assert";
import { createFolders } from "./folders.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { createPlaces } from "./places.ts";

function setUp(tree: Record<string, string | { readonly link: string } | null>) {
  const files = createMemoryFiles();
  for (const [path, content] of Object.entries(tree)) {
    if (content === null) files.folder(path);
    else if (typeof content === "string") files.write(path, content);
    else files.link(path, content.link);
  }
  files.tick(1000);
  const folders = createFolders(files);
  const places = createPlaces(files, folders);
  const later = () => {
    files.tick(1000);
    folders.nextRound();
  };
  return { files, folders, later, find: (path: string) => places.find(path) };
}

Deno.test("find() takes a plain path as it is, whether its last name exists or not", () => {
  const { find } = setUp({ "/p/a.c": "" });
  for (const path of ["/p/a.c", "/p/none.c", "/p", "/none", "/"]) {
    assertEquals(find(path), { path, links: [], folders: [] });
  }
  assertEquals(find("/p//./a.c")?.path, "/p/a.c");
  assertEquals(find("/p/")?.path, "/p");
});

Deno.test("find() knows no place below what is no folder", () => {
  const { find } = setUp({ "/p/a.c": "" });
  for (const path of ["/none/a.c", "/p/a.c/x", "/p/none/../a.c", "/p/a.c/../b.c"]) {
    assertEquals(find(path), undefined, path);
  }
});

Deno.test("find() names each link on the way, and what it holds", () => {
  const { find } = setUp({
    "/usr/lib/x86/ld.so": "",
    "/lib64": { link: "usr/lib64" },
    "/usr/lib64": { link: "/usr/lib" },
    "/usr/lib/ld.so": { link: "./x86/ld.so" },
  });
  assertEquals(find("/lib64/ld.so"), {
    path: "/usr/lib/x86/ld.so",
    links: [
      { path: "/lib64", target: "usr/lib64" },
      { path: "/usr/lib64", target: "/usr/lib" },
      { path: "/usr/lib/ld.so", target: "./x86/ld.so" },
    ],
    folders: [],
  });
});

Deno.test("find() goes up from where a link leads, not from where it lies", () => {
  const { find } = setUp({
    "/real/deep/in/x": "",
    "/real/deep/y.h": "",
    "/p/l": { link: "../real/deep/in" },
    "/p/y.h": "",
  });
  assertEquals(find("/p/l/../y.h"), {
    path: "/real/deep/y.h",
    links: [{ path: "/p/l", target: "../real/deep/in" }],
    folders: ["/p", "/real/deep/in"],
  });
  assertEquals(find("/p/l/..")?.path, "/real/deep");
  assertEquals(find("/../../p/y.h")?.path, "/p/y.h");
});

Deno.test("find() names the folders that a spelling passes", () => {
  const { find } = setUp({ "/p/a/b/x": "", "/p/c.h": "" });
  assertEquals(find("/p/a/b/../../c.h"), {
    path: "/p/c.h",
    links: [],
    folders: ["/p/a/b", "/p/a"],
  });
});

Deno.test("find() follows the last name where it is a link, also a dangling one", () => {
  const { find } = setUp({
    "/p/a.h": { link: "b.h" },
    "/p/b.h": "",
    "/p/gone": { link: "none" },
    "/p/lost": { link: "/nowhere/x" },
  });
  assertEquals(find("/p/a.h")?.path, "/p/b.h");
  assertEquals(find("/p/gone")?.path, "/p/none");
  assertEquals(find("/p/lost"), undefined);
});

Deno.test("find() gives up on links that go round", () => {
  const { find } = setUp({
    "/p/a": { link: "b" },
    "/p/b": { link: "a" },
    "/p/self": { link: "self/x" },
    "/p/here": { link: "." },
    "/p/x.h": "",
  });
  assertEquals(find("/p/a"), undefined);
  assertEquals(find("/p/a/x.h"), undefined);
  assertEquals(find("/p/self"), undefined);
  assertEquals(find("/p/here/here/x.h")?.path, "/p/x.h");
  assertEquals(find(`/p${"/here".repeat(41)}/x.h`), undefined);
});

Deno.test("find() sees that a link on the way leads elsewhere", () => {
  const { files, later, find } = setUp({
    "/v1/inc/x.h": "",
    "/v2/inc/x.h": "",
    "/sdk": { link: "v1" },
  });
  assertEquals(find("/sdk/inc/x.h")?.path, "/v1/inc/x.h");
  files.remove("/sdk");
  files.link("/sdk", "v2");
  later();
  assertEquals(find("/sdk/inc/x.h"), {
    path: "/v2/inc/x.h",
    links: [{ path: "/sdk", target: "v2" }],
    folders: [],
  });
});

Deno.test("find() sees a link that leads elsewhere twice within one tick of the clock", () => {
  const { files, folders, find } = setUp({ "/v1/x/f": "", "/v2/x/f": "", "/v3/x/f": "" });
  for (const version of ["v1", "v2", "v3"]) {
    files.remove("/sdk");
    files.link("/sdk", version);
    folders.nextRound();
    assertEquals(find("/sdk/x/f")?.path, `/${version}/x/f`);
  }
});

Deno.test("find() sees that a folder on the way has become a link, and a link a folder", () => {
  const { files, later, find } = setUp({ "/p/s/x.h": "", "/q/x.h": "" });
  assertEquals(find("/p/s/x.h")?.path, "/p/s/x.h");
  files.remove("/p/s/x.h");
  files.remove("/p/s");
  files.link("/p/s", "../q");
  later();
  assertEquals(find("/p/s/x.h")?.path, "/q/x.h");
  files.remove("/p/s");
  files.write("/p/s/x.h", "");
  later();
  assertEquals(find("/p/s/x.h"), { path: "/p/s/x.h", links: [], folders: [] });
});

Deno.test("find() sees a folder on the way that comes later", () => {
  const { files, later, find } = setUp({ "/p/a.c": "" });
  assertEquals(find("/p/gen/deep/x.h"), undefined);
  files.write("/p/gen/deep/x.h", "");
  later();
  assertEquals(find("/p/gen/deep/x.h")?.path, "/p/gen/deep/x.h");
  files.remove("/p/gen/deep/x.h");
  files.remove("/p/gen/deep");
  later();
  assertEquals(find("/p/gen/deep/x.h"), undefined);
});

Deno.test("find() walks once for all files of a folder while nothing changes", () => {
  const { files, later, find } = setUp({ "/r/s/x.h": "", "/l": { link: "r" } });
  find("/l/s/x.h");
  files.calls.clear();
  find("/l/s/y.h");
  assertEquals([...files.calls], []);
  later();
  find("/l/s/y.h");
  find("/l/s/z.h");
  // One look at each folder on the way, and none at the link.
  assertEquals([...files.calls], [["stat", 3]]);
});
