import { assertEquals } from "@std/assert";
import { familyOf } from "./family.ts";
import { createMemoryFiles } from "./memory_files_fixture.ts";

Deno.test("familyOf() follows links to a name that tells", () => {
  const files = createMemoryFiles();
  files.write("/usr/lib/llvm-14/bin/clang", "");
  files.write("/usr/bin/x86_64-linux-gnu-gcc-12", "");
  files.link("/usr/bin/clang++-14", "../lib/llvm-14/bin/clang");
  files.link("/usr/bin/cc", "/etc/alternatives/cc");
  files.link("/usr/bin/gcc", "x86_64-linux-gnu-gcc-12");
  files.link("/usr/bin/loop", "loop");
  files.link("/opt/cc", "../usr/bin/clang++-14");
  for (const name of ["/usr/bin/clang++-14", "/opt/cc", "/no/such/clang"]) {
    assertEquals(familyOf(name, files), "clang", name);
  }
  files.link("/etc/alternatives/cc", "/usr/bin/gcc");
  for (const name of ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/loop", "/no/such/clang-tidy"]) {
    assertEquals(familyOf(name, files), "gcc", name);
  }
});
