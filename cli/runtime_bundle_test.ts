import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { runtimeBundle } from "./runtime_bundle.ts";

/** A `deno` that writes its folder and arguments where the bundle should be. */
const RECORDER = `#!/bin/sh
for arg; do
  [ "$before" = -o ] && out=$arg
  before=$arg
done
{ pwd -P; for arg; do [ "$arg" = "$out" ] || printf '%s\\n' "$arg"; done; } > "$out"
`;

async function withRecorder(test: (execPath: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/deno`, RECORDER, { mode: 0o755 });
    await test(`${folder}/deno`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("runtimeBundle() of a package takes no settings from the folder that it is called from", () =>
  withRecorder(async (execPath) => {
    const moduleUrl = "https://packages.example/@llama/cli/0.1.0/cli/self.ts";
    const bundle = await runtimeBundle({
      moduleUrl,
      execPath,
      standalone: false,
      denoConfig: "/p/deno.json",
    });
    const [cwd, ...args] = new TextDecoder().decode(bundle).trim().split("\n");
    assertEquals(cwd?.includes("/llama-bundle-"), true, cwd);
    assertEquals(args, [
      ...["bundle", "-q", "--platform", "deno", "-o", "--no-config", "--no-lock"],
      "https://packages.example/@llama/cli/0.1.0/runtime/main.ts",
    ]);
  }));

Deno.test("runtimeBundle() of a source tree takes that tree's settings", () =>
  withRecorder(async (execPath) => {
    const moduleUrl = import.meta.resolve("./self.ts");
    const root = decodeURIComponent(new URL("..", moduleUrl).pathname).replace(/\/$/, "");
    const options = { moduleUrl, execPath, standalone: false };
    const own = await runtimeBundle({ ...options, denoConfig: undefined });
    assertEquals(new TextDecoder().decode(own).trim().split("\n"), [
      await Deno.realPath(root),
      ...["bundle", "-q", "--platform", "deno", "-o", `${root}/runtime/main.ts`],
    ]);
    const named = await runtimeBundle({ ...options, denoConfig: "/p/deno.json" });
    assertEquals(new TextDecoder().decode(named).includes("--config\n/p/deno.json\n"), true);
  }));

Deno.test("runtimeBundle() says what the bundler said", async () => {
  const error = await assertRejects(
    () =>
      runtimeBundle({
        moduleUrl: "https://packages.example/cli/self.ts",
        execPath: "/bin/false",
        standalone: false,
        denoConfig: undefined,
      }),
    LlamaError,
  );
  assertEquals(error.code, "BundleFailed");
});
