import { assert, assertEquals } from "@std/assert";
import type { Proof } from "../job/proof.ts";
import { createFolders } from "./folders.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";
import { checkProof, type ProofQuestion, type Verdict } from "./proof_check.ts";

function setUp() {
  const files = createMemoryFiles();
  files.write("/p/a.c", "int a;");
  files.write("/p/sub/x.h", "");
  files.link("/p/dangling.h", "nowhere.h");
  files.link("/p/linked.h", "sub/x.h");
  files.link("/p/loop.h", "loop.h");
  files.tick(1000);
  const folders = createFolders(files);
  const source = files.stat("/p/a.c");
  assert(source);
  const check = (proof: Partial<Proof>, question: Partial<ProofQuestion> = {}) =>
    checkProof(
      {
        proof: { opened: ["/p/a.c"], listed: [], absent: [], blind: [], ...proof },
        sent: (path) => path === "/p/a.c" ? source : "sent",
        links: [],
        isMade: () => false,
        sentNames: () => new Set(),
        ...question,
      },
      folders,
      files,
    );
  return { files, folders, check };
}

Deno.test("checkProof() proves a result whose absent names are absent here", () => {
  const { check } = setUp();
  const absent = ["/p/b.h", "/none/x.h", "/p/a.c/x.h", "/p/../q/x.h", "/none/../p/a.c", "/q"];
  assertEquals(check({ absent }), { kind: "proved" });
});

Deno.test("checkProof() refuses a result that came from something that was not sent", () => {
  const { check } = setUp();
  const sent = (path: string) => path === "/p/a.c" ? "sent" : undefined;
  const isMade = (path: string) => path === "/p/a.o";
  assertEquals(check({ opened: ["/p/a.c", "/p/a.o", "/tmp/cc1234.s"] }, { sent, isMade }), {
    kind: "proved",
  });
  assertEquals(check({ opened: ["/p/a.c", "/tmp/p/old.h"] }, { sent, isMade }), {
    kind: "unproved",
    reason: 'it opened "/tmp/p/old.h", which was not sent',
  });
});

Deno.test("checkProof() does not take what it may not look at for absent", () => {
  const { files } = setUp();
  files.write("/p/shut/in/x.h", "");
  const closed = {
    ...files,
    stat: (path: string) => {
      const state = path.startsWith("/p/shut/") ? undefined : files.stat(path);
      return state && path === "/p/shut" ? { ...state, mode: 0o600 } : state;
    },
  };
  const proof = { opened: [], listed: [], blind: [] };
  const rest = { sent: () => undefined, links: [], isMade: () => false };
  for (const path of ["/p/shut/x.h", "/p/shut/in/x.h", "/p/shut/none/x.h"]) {
    const question = { ...rest, sentNames: () => new Set<string>() };
    assertEquals(
      checkProof(
        { ...question, proof: { ...proof, absent: [path] } },
        createFolders(closed),
        files,
      ),
      { kind: "unproved", reason: 'nobody may look into "/p/shut" here' },
    );
  }
});

Deno.test("checkProof() names every absent path that exists here, however it is spelled", () => {
  const { check } = setUp();
  for (
    const path of [
      "/p/a.c",
      "/p/sub",
      "/p/sub/",
      "/p/sub/.",
      "/p/sub/..",
      "/p/sub/../a.c",
      "/p//a.c",
      "/p/linked.h",
      "/p",
      "/",
    ]
  ) {
    assertEquals(check({ absent: ["/p/b.h", path] }), { kind: "incomplete", paths: [path] }, path);
  }
  assertEquals(check({ absent: ["/p/sub/x.h", "/no", "/p/a.c"] }), {
    kind: "incomplete",
    paths: ["/p/sub/x.h", "/p/a.c"],
  });
});

Deno.test("checkProof() lets an image have what is not here, and what is its compiler's", () => {
  const { check } = setUp();
  const isOfCompiler = (path: string) => path === "/p/a.c";
  assertEquals(check({ image: ["/p/none.h", "/p/a.c"] }, { isOfCompiler }), { kind: "proved" });
  assertEquals(check({ image: ["/p/a.c", "/p/sub/x.h"] }, { isOfCompiler }), {
    kind: "incomplete",
    paths: ["/p/sub/x.h"],
  });
  assertEquals(check({ absent: ["/p/a.c"] }, { isOfCompiler }).kind, "incomplete");
});

Deno.test("checkProof() takes a dangling link for absent, and not one that leads in a circle", () => {
  const { files, check } = setUp();
  files.link("/p/ring1", "/p/ring2");
  files.link("/p/ring2", "ring1");
  files.link("/p/through", "dangling.h/x");
  files.link("/p/into", "../p/./loop.h/x");
  files.link("/p/past", "a.c/x");
  files.tick(1000);
  assertEquals(check({ absent: ["/p/dangling.h", "/p/through"] }), { kind: "proved" });
  const circle = (path: string): Verdict => ({
    kind: "unproved",
    reason: `the link "${path}" leads in a circle here`,
  });
  assertEquals(check({ absent: ["/p/loop.h"] }), circle("/p/loop.h"));
  assertEquals(check({ absent: ["/p/ring1"] }), circle("/p/ring1"));
  assertEquals(check({ absent: ["/p/ring2/in/x.h"] }), circle("/p/ring2"));
  assertEquals(check({ absent: ["/p/into"] }), circle("/p/into"));
  const reason = 'the link "/p/past" leads through a file here';
  assertEquals(check({ absent: ["/p/past"] }), { kind: "unproved", reason });
  assertEquals(check({ absent: ["/p/past/x.h"] }), { kind: "unproved", reason });
});

Deno.test("checkProof() wants a file that stands in the way of an absent name to stand there, too", () => {
  const { check } = setUp();
  const absent = ["/p/a.c/x.h", "/p/sub/x.h/in/y.h"];
  assertEquals(check({ absent }), { kind: "proved" });
  const sent = (path: string) => path === "/p/a.c" ? "sent" : undefined;
  const opened = ["/p/a.c"];
  assertEquals(check({ opened, absent }, { sent }), { kind: "incomplete", paths: ["/p/sub/x.h"] });
  const isMade = (path: string) => path === "/p/sub/x.h";
  assertEquals(check({ opened, absent }, { sent, isMade }), { kind: "proved" });
});

Deno.test("checkProof() lets the job's own outputs exist from an earlier run", () => {
  const { files, check } = setUp();
  files.write("/p/a.o", "");
  assertEquals(check({ absent: ["/p/a.o"] }).kind, "incomplete");
  assertEquals(check({ absent: ["/p/a.o"] }, { isMade: (path) => path === "/p/a.o" }), {
    kind: "proved",
  });
});

Deno.test("checkProof() sees a name in a folder that can be entered but not listed", () => {
  const { files } = setUp();
  const folders = createFolders({ ...files, list: () => undefined });
  const verdict = (absent: string) =>
    checkProof(
      {
        proof: { opened: [], listed: [], absent: [absent], blind: [] },
        sent: () => undefined,
        links: [],
        isMade: () => false,
        sentNames: () => new Set(),
      },
      folders,
      files,
    ).kind;
  assertEquals(verdict("/p/a.c"), "incomplete");
  assertEquals(verdict("/p/none.c"), "proved");
});

Deno.test("checkProof() does not trust what was blind, and says why", () => {
  const { check } = setUp();
  assertEquals(check({ blind: ["a static program", "more"], absent: ["/p/a.c"] }), {
    kind: "unproved",
    reason: "a static program",
  });
});

Deno.test("checkProof() wants a listed folder to have been whole", () => {
  const { check } = setUp();
  const here = ["a.c", "sub", "dangling.h", "linked.h", "loop.h"];
  const listed = ["/p"];
  assertEquals(check({ listed }, { sentNames: () => new Set(here) }), { kind: "proved" });
  assertEquals(check({ listed }, { sentNames: () => new Set([...here, "a.o"]) }).kind, "proved");
  for (const name of here) {
    const sentNames = () => new Set(here.filter((other) => other !== name));
    assertEquals(check({ listed }, { sentNames }), { kind: "incomplete", paths: [`/p/${name}`] });
  }
  assertEquals(check({ listed: ["/none", "/p/a.c"] }), { kind: "proved" });
});

Deno.test("checkProof() names the opened files that changed or went since they were sent", () => {
  const { files, check } = setUp();
  assertEquals(check({}), { kind: "proved" });
  files.write("/p/a.c", "int b;");
  assertEquals(check({}), { kind: "changed", paths: ["/p/a.c"] });
  files.remove("/p/a.c");
  assertEquals(check({}), { kind: "changed", paths: ["/p/a.c"] });
});

Deno.test("checkProof() names the opened folders that went since they were sent", () => {
  const { files, check } = setUp();
  files.folder("/p/inc");
  const sent = (path: string) => path === "/p/inc" ? "folder" : "sent";
  assertEquals(check({ opened: ["/p/inc"] }, { sent }), { kind: "proved" });
  files.remove("/p/inc");
  assertEquals(check({ opened: ["/p/inc"] }, { sent }), { kind: "changed", paths: ["/p/inc"] });
  files.write("/p/inc", "");
  assertEquals(check({ opened: ["/p/inc"] }, { sent }), { kind: "changed", paths: ["/p/inc"] });
  assertEquals(check({}, { sent }), { kind: "proved" });
});

Deno.test("checkProof() does not care for a change of what was sent and not opened", () => {
  const { files, check } = setUp();
  files.write("/p/a.c", "int b;");
  assertEquals(check({ opened: ["/p/sub/x.h"] }), { kind: "proved" });
});

Deno.test("checkProof() finds a change where the file is opened by another way", () => {
  const { files, check } = setUp();
  const state = files.stat("/p/sub/x.h");
  const way = { opened: ["/p/../p/linked.h"] };
  const sent = () => state;
  assertEquals(check(way, { sent }), { kind: "proved" });
  files.remove("/p/linked.h");
  files.link("/p/linked.h", "a.c");
  assertEquals(check(way, { sent }), { kind: "changed", paths: way.opened });
});

Deno.test("checkProof() does not trust a compiler that tells files by their inode with hard links", () => {
  const { files, check } = setUp();
  files.write("/p/y.h", "");
  const [x, y] = [files.stat("/p/sub/x.h"), files.stat("/p/y.h")];
  assert(x && y);
  const opened = ["/p/sub/x.h", "/p/sub/../sub/x.h", "/p/y.h"];
  const answers = (sent: ProofQuestion["sent"], tellsByInode: boolean) =>
    check({ opened }, { sent, tellsByInode }).kind;
  assertEquals(answers((path) => path === "/p/y.h" ? y : x, true), "proved");
  // Hard links have equal states; these stand for what was read of each.
  const hard = (path: string) => path === "/p/y.h" ? { ...x } : x;
  files.remove("/p/y.h");
  files.link("/p/y.h", "sub/x.h");
  assertEquals([answers(hard, false), answers(hard, true)], ["proved", "unproved"]);
});

Deno.test("checkProof() names the links that were sent and lead elsewhere now", () => {
  const { files, check } = setUp();
  const links = [{ path: "/p/linked.h", target: "sub/x.h" }];
  assertEquals(check({}, { links }), { kind: "proved" });
  files.remove("/p/linked.h");
  files.link("/p/linked.h", "a.c");
  assertEquals(check({}, { links }), { kind: "changed", paths: ["/p/linked.h"] });
  files.remove("/p/linked.h");
  assertEquals(check({}, { links }), { kind: "changed", paths: ["/p/linked.h"] });
});

Deno.test("checkProof() asks for what was missing before it looks for changes", () => {
  const { files, check } = setUp();
  files.write("/p/a.c", "int b;");
  assertEquals(check({ absent: ["/p/sub/x.h"] }).kind, "incomplete");
});

Deno.test("checkProof() does not trust the order in which a folder lists precompiled headers", () => {
  const { files, check } = setUp();
  files.write("/p/x.h.gch/one", "");
  const asked = { listed: ["/p/x.h.gch"] };
  const sentNames = () => new Set(["one", "two"]);
  assertEquals(check(asked, { sentNames }), { kind: "proved" });
  const again = setUp();
  again.files.write("/p/x.h.gch/one", "");
  again.files.write("/p/x.h.gch/two", "");
  assertEquals(again.check(asked, { sentNames }), { kind: "unordered", folder: "/p/x.h.gch" });
});
