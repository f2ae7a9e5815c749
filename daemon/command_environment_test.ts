import { assertEquals } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { commandEnvironment } from "./command_environment.ts";

Deno.test("commandEnvironment() keeps credentials and the session here, and names them", () => {
  const files = createMemoryFiles();
  files.write("/etc/passwd", `other:x:77:0::/:/bin/sh\nme:x:${Deno.uid()}:0::/:/bin/sh\n`);
  const { env, withheld } = commandEnvironment(
    {
      ...{
        PATH: "/bin",
        PYTHONPATH: "/lib",
        AWS_PROFILE: "p",
        GITHUB_TOKEN: "t",
        DB_PASSWORD: "x",
      },
      ...{
        SSH_AUTH_SOCK: "/s",
        LD_PRELOAD: "/l.so",
        DISPLAY: ":0",
        LLAMA_DIR: "/l",
        MY_API_KEY: "k",
      },
      NONE: undefined,
    },
    { MY_API_KEY: "mine" },
    "/w",
    files,
  );
  assertEquals(env, {
    ...{ PATH: "/bin", PYTHONPATH: "/lib", MY_API_KEY: "mine", PWD: "/w", TZ: "UTC0" },
    LLAMA_SHIM_OWNER: `${Deno.uid()}:${Deno.gid()}:me:`,
  });
  assertEquals(withheld, [
    ...["AWS_PROFILE", "DB_PASSWORD", "DISPLAY", "GITHUB_TOKEN", "LD_PRELOAD", "LLAMA_DIR"],
    ...["MY_API_KEY", "SSH_AUTH_SOCK"],
  ]);
});

Deno.test("commandEnvironment() has C.UTF-8 stand for locales whose data stay here", () => {
  const { env, locales } = commandEnvironment(
    { LANG: "de_DE.UTF-8", LC_ALL: "", LC_COLLATE: "C", LC_CTYPE: "C.utf8", LC_TIME: "fr_FR" },
    {},
    "/w",
    createMemoryFiles(),
  );
  const { LANG, LC_ALL, LC_COLLATE, LC_CTYPE, LC_TIME } = env;
  assertEquals([LANG, LC_ALL, LC_COLLATE, LC_CTYPE, LC_TIME], [
    ...["C.UTF-8", "", "C", "C.utf8", "C.UTF-8"],
  ]);
  assertEquals(locales, ["de_DE.UTF-8", "fr_FR"]);
});
