import { assertEquals } from "@std/assert";
import { selfCommand, thisProcess } from "./self.ts";

const deno = { standalone: false, execPath: "/opt/deno", denoConfig: undefined };

Deno.test("selfCommand() runs the llama beside a compiled llamacc", () => {
  assertEquals(
    selfCommand({ ...deno, moduleUrl: "file:///x", standalone: true, execPath: "/b/llamacc" }),
    ["/b/llama"],
  );
});

Deno.test("selfCommand() runs the bundle beside a bundle, without the network", () => {
  assertEquals(
    selfCommand({ ...deno, moduleUrl: "file:///usr/lib/my%20llama/llamacc.js" }).slice(1),
    [
      ...[
        "run",
        "-A",
        "--unstable-no-legacy-abort",
        "--no-config",
        "--no-lock",
        "--cached-only",
        "--no-check",
      ],
      "/usr/lib/my llama/llama.js",
    ],
  );
});

Deno.test("selfCommand() runs the entry of a package by its URL", () => {
  assertEquals(
    selfCommand({ ...deno, moduleUrl: "https://jsr.io/@llama/cli/0.1.0/cli/self.ts" }),
    [
      "/opt/deno",
      "run",
      "-A",
      "--unstable-no-legacy-abort",
      "--no-check",
      "https://jsr.io/@llama/cli/0.1.0/cli/llama.ts",
    ],
  );
});

Deno.test("selfCommand() passes the configuration of a source tree on", () => {
  assertEquals(
    selfCommand({ ...deno, moduleUrl: "file:///src/cli/self.ts", denoConfig: "/src/d.json" }),
    [
      "/opt/deno",
      "run",
      "-A",
      "--unstable-no-legacy-abort",
      "--no-check",
      "--config",
      "/src/d.json",
      "/src/cli/llama.ts",
    ],
  );
});

Deno.test("selfCommand() of this process names an entry of this tree", () => {
  const command = selfCommand({ ...thisProcess(), denoConfig: undefined });
  assertEquals(command[0], Deno.execPath());
  assertEquals(command.at(-1), new URL("./llama.ts", import.meta.url).pathname);
});
