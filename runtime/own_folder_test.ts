import { assertEquals } from "@std/assert";
import { claimFolder } from "./own_folder.ts";
import { shortFolder } from "./worker_fixture.ts";

Deno.test("claimFolder() gives each process a folder of its own, and a freed one again", () => {
  const base = shortFolder();
  try {
    const first = claimFolder(`${base}/w`);
    const second = claimFolder(`${base}/w`);
    assertEquals([first.path, second.path], [`${base}/w`, `${base}/w1`]);
    first[Symbol.dispose]();
    const third = claimFolder(`${base}/w`);
    assertEquals(third.path, `${base}/w`);
    for (const folder of [second, third]) folder[Symbol.dispose]();
  } finally {
    Deno.removeSync(base, { recursive: true });
  }
});
