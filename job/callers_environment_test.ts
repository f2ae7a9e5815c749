import { assertEquals } from "@std/assert";
import { callersEnvironment } from "./callers_environment.ts";

Deno.test("callersEnvironment() takes out the folder in which Deno stands for node", () => {
  const of = (PATH: string) => callersEnvironment({ PATH, HOME: "/h" });
  assertEquals(of("/c/deno/node_compat_bin:/usr/bin:/bin"), { PATH: "/usr/bin:/bin", HOME: "/h" });
  assertEquals(of("/usr/bin::/bin:"), { PATH: "/usr/bin::/bin:", HOME: "/h" });
  assertEquals(of("/x/node_compat_bin/mine:/bin").PATH, "/x/node_compat_bin/mine:/bin");
  assertEquals(callersEnvironment({ HOME: "/h" }), { HOME: "/h" });
});
