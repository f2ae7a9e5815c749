import { assertEquals } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { missedBy } from "./ship_missed.ts";

const PLACES = { cwd: "/home/me", folder: "/job" };

function missed(...absent: string[]): string | undefined {
  const files = createMemoryFiles();
  for (
    const path of [
      "/home/me/mod.py",
      "/usr/bin/ls",
      "/etc/a",
      "/etc/b",
      "/etc/c",
      "/etc/d",
      "/dev/x",
    ]
  ) {
    files.write(path, path);
  }
  files.link("/bin", "/usr/bin");
  return missedBy({ proof: { absent, opened: [], listed: [], blind: [] } }, PLACES, files)
    ?.replace(/ \(.*/, "");
}

Deno.test("missedBy() names what is here, files of the current folder as they are called", () => {
  assertEquals(missed("/job/mod.py", "/job/none", "/etc/none", "/dev/x"), said('"mod.py"'));
  assertEquals(missed("/job/../etc/a"), said('"/etc/a"'));
  assertEquals(missed("/bin/ls", "/job/./mod.py", "/usr/bin/ls"), said('"/bin/ls", "mod.py"'));
  assertEquals(
    missed("/etc/a", "/etc/b", "/etc/c", "/etc/d", "/bin/ls", "/job/mod.py"),
    said('"/etc/a", "/etc/b", "/etc/c", "/etc/d", "/bin/ls" and 1 more'),
  );
});

Deno.test("missedBy() says nothing where nothing is known", () => {
  assertEquals(missed("/none", "/job/../etc/none"), undefined);
  assertEquals(missedBy({}, PLACES, createMemoryFiles()), undefined);
});

function said(names: string): string {
  return `llama: It looked for what is here and did not travel: ${names}`;
}
