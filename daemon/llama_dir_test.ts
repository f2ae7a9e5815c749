import { assertEquals, assertThrows } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import {
  checkPrivateFolder,
  findLlamaDir,
  preparePrivateFolder,
  socketPathIn,
} from "./llama_dir.ts";

const from = (env: Record<string, string>) => findLlamaDir((name) => env[name]);

Deno.test("findLlamaDir() takes LLAMA_DIR, then HOME, then the user's entry in passwd", async () => {
  assertEquals(from({ LLAMA_DIR: "/l", HOME: "/h" }), "/l");
  assertEquals(from({ LLAMA_DIR: "l" }), `${Deno.cwd()}/l`);
  assertEquals(from({ LLAMA_DIR: "", HOME: "/h" }), "/h/.llama");
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "unset HOME; echo ~$(id -un)"] })
    .output();
  const shell = await new Deno.Command("sh", { args: ["-c", `eval echo ${decode(stdout)}`] })
    .output();
  assertEquals(from({}), `${decode(shell.stdout)}/.llama`);
});

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();

Deno.test("socketPathIn() allows 107 bytes and no more", () => {
  const name = "/daemon.sock";
  assertEquals(socketPathIn("/" + "x".repeat(106 - name.length)).length, 107);
  assertThrows(
    () => socketPathIn("/" + "x".repeat(107 - name.length)),
    LlamaError,
    "108 bytes, the limit is 107",
  );
});

Deno.test("preparePrivateFolder() makes a private folder and refuses what is not one", async () => {
  const folder = await Deno.makeTempDir();
  preparePrivateFolder(`${folder}/a/b`);
  assertEquals((Deno.statSync(`${folder}/a/b`).mode ?? 0) & 0o777, 0o700);
  Deno.chmodSync(`${folder}/a/b`, 0o722);
  assertThrows(() => preparePrivateFolder(`${folder}/a/b`), LlamaError, "others can write into it");
  Deno.writeTextFileSync(`${folder}/file`, "");
  assertThrows(() => checkPrivateFolder(`${folder}/file`), LlamaError, "it is not a folder");
  assertThrows(() => checkPrivateFolder(`${folder}/none`), Deno.errors.NotFound);
  await Deno.remove(folder, { recursive: true });
});
