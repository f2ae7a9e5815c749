/** Functions that are container images, whose own compiler llamacc uses. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { addImage, canRunImages, putFiles, withLibraries } from "../cloud/image_fixture.ts";
import { compare, useBuildCloud, writeFiles } from "./build_cloud.ts";

const cloud = useBuildCloud();

const test = await canRunImages() ? Deno.test : Deno.test.ignore;
const hasOther = await ask(["sh", "-c", "command -v gcc-11 || :"]) !== "";

/** Basic programs that the runtime and scripts count on. */
const BASIC = ["/bin/sh", "/bin/bash", "/usr/bin/env"];
/** By this locale compilers choose quotation marks; libc itself brings it where there is no such folder. */
const LOCALE = "/usr/lib/locale/C.utf8";

async function ask(command: readonly string[]): Promise<string> {
  const { stdout } = await new Deno.Command(command[0] ?? "", { args: command.slice(1) }).output();
  return new TextDecoder().decode(stdout).trim();
}

/** A function of an image with these programs of this machine under these names, and the runtime of the default function. */
async function makeFunction(
  name: string,
  programs: Readonly<Record<string, string>>,
  more: (root: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const state = `${cloud.llamaDir}/cloud`;
  const code = await ask(["sh", "-c", `ls -d ${state}/lambda/code/*/bootstrap | head -n 1`]);
  const folder = code.replace(/\/bootstrap$/, "");
  const fill = async (root: string) => {
    const ofRuntime = await withLibraries([`${folder}/deno`]);
    ofRuntime.delete(`${folder}/deno`);
    await putFiles(root, [...await withLibraries(BASIC), ...ofRuntime]);
    await ask(["sh", "-c", `mkdir -p ${root}/usr/lib/locale; cp -r ${LOCALE} ${root}${LOCALE}; :`]);
    await ask(["cp", "-r", folder, `${root}/task`]);
    await Deno.mkdir(`${root}/var`);
    await Deno.rename(`${root}/task`, `${root}/var/task`);
    for (const [alias, program] of Object.entries(programs)) {
      const real = await Deno.realPath(program);
      // gcc's own programs and headers, and what assembles.
      const inner = ["cc1", "cc1plus", "as"].map((part) =>
        ask([program, `-print-prog-name=${part}`])
      );
      const found = (await Promise.all(inner)).map((part) =>
        part.startsWith("/") ? part : `/usr/bin/${part}`
      );
      await putFiles(root, await withLibraries([real, ...found]));
      await ask(["ln", "-sf", real, `${root}${alias}`]);
      const include = await ask([program, "-print-file-name=include"]);
      await ask(["sh", "-c", `mkdir -p ${root}${include} && cp -r ${include}/. ${root}${include}`]);
    }
    await more(root);
    await ask(["chmod", "-R", "a+rX", root]);
  };
  const settings = await cloud.must(["llama", "config", "-shell"]);
  const aws = (call: string) => cloud.must(["sh", "-ec", `eval "$1"; aws ${call}`, "sh", settings]);
  const llama = JSON.parse(await Deno.readTextFile(`${cloud.llamaDir}/llama.json`));
  const repository: string = llama.repository;
  const config = {
    entryPoint: ["/var/task/bootstrap"],
    env: ["PATH=/usr/local/bin:/usr/bin:/bin"],
  };
  const tagged = { repository: repository.slice(repository.indexOf("/") + 1), tag: name };
  await addImage(state, tagged, config, fill);
  const { Environment } = JSON.parse(
    await aws("lambda get-function-configuration --function-name llama"),
  );
  await aws(
    `lambda create-function --function-name ${name} --package-type Image --role ${llama.role} ` +
      `--code ImageUri=${repository}:${name} --memory-size 1769 --timeout 60 ` +
      `--environment '${JSON.stringify(Environment)}'`,
  );
  // Until then it answers that it is pending.
  await aws(`lambda wait function-active-v2 --function-name ${name}`);
}

test("llamacc compiles with the compiler of an image, and the headers of this machine", async () => {
  await makeFunction("gcc", { "/usr/bin/cc": "/usr/bin/gcc", "/usr/bin/c++": "/usr/bin/g++" });
  await cloud.stats("zero");
  const files = {
    "a.c":
      '#include <stdio.h>\n#include <stddef.h>\n#include "sub/b.h"\nint main(void) { return printf("%d", B); }\n',
    "sub/b.h": "#define B 2\n",
    "a.cc": "#include <vector>\n#include <string>\nstd::vector<std::string> v(3);\n",
    "bad.c": "int x = ;\n",
  };
  for (
    const script of [
      "$CC -O2 -g -MD -c a.c -o a.o && cat a.d",
      "$CXX -O1 -g3 -std=c++17 -Isub -c a.cc",
      "$CC -Wall -c bad.c",
    ]
  ) {
    await compare(cloud, { script, files, env: { LLAMACC_FUNCTION: "gcc" } });
  }
  const { remote, fallback } = await cloud.stats();
  assertEquals([remote, fallback], [3, {}]);
});

(hasOther ? test : Deno.test.ignore)(
  "llamacc says once that the compiler of an image is another one",
  async () => {
    await makeFunction("gcc11", { "/usr/bin/cc": "/usr/bin/gcc-11" });
    await writeFiles(cloud.work, { "v/v.c": "#include <stdio.h>\nconst char *v = __VERSION__;\n" });
    const options = {
      cwd: `${cloud.work}/v`,
      env: { LLAMACC_FUNCTION: "gcc11", LLAMACC_BUILD_ID: "v", LLAMACC_LOCAL_FALLBACK: "0" },
    };
    const first = await cloud.run(["llamacc", "-c", "v.c"], options);
    assertEquals([first.code, first.stdout], [0, ""], first.stderr);
    assertMatch(
      first.stderr,
      /^llamacc: the function "gcc11" compiles with its own cc \(.*gcc version 11.*\), which differs from the one here \(.*gcc version 12.*\)\n$/,
    );
    assertStringIncludes(await Deno.readTextFile(`${cloud.work}/v/v.o`), "11.");
    const second = await cloud.run(["llamacc", "-c", "v.c"], options);
    assertEquals([second.code, second.stderr], [0, ""]);
  },
);

test("llamacc compiles here, and says why once, where an image has no compiler or none that can be shown files", async () => {
  await makeFunction("empty", {});
  const script =
    "#!/bin/sh\ncase $1 in -v) echo 'Target: x' >&2;; esac\nexec /usr/bin/static \"$@\"\n";
  await writeFiles(cloud.work, {
    "s/main.c": "int main(void) { return 0; }\n",
    "s/a.c": "int a;\n",
  });
  const cwd = `${cloud.work}/s`;
  await cloud.must(["cc", "-static", "main.c", "-o", "static"], { cwd });
  await makeFunction("static", {}, async (root) => {
    await Deno.copyFile(`${cwd}/static`, `${root}/usr/bin/static`);
    await Deno.writeTextFile(`${root}/usr/bin/cc`, script);
    for (const name of ["static", "cc"]) await Deno.chmod(`${root}/usr/bin/${name}`, 0o755);
  });
  await cloud.stats("zero");
  const cases = [
    [
      "empty",
      /^llamacc: compiling on this machine: The image of the function "empty" has no compiler "cc"; .*\n$/,
    ],
    [
      "static",
      /^(?:.*differs from the one here.*\n)?llamacc: compiling on this machine: The image of the function "static" cannot show its compiler .*\n$/,
    ],
  ] as const;
  for (const [name, message] of cases) {
    const options = { cwd, env: { LLAMACC_FUNCTION: name, LLAMACC_BUILD_ID: name } };
    const first = await cloud.run(["llamacc", "-c", "a.c"], options);
    assertEquals(first.code, 0);
    assertMatch(first.stderr, message);
    const second = await cloud.run(["llamacc", "-c", "a.c"], options);
    assertEquals([second.code, second.stderr], [0, ""]);
  }
  const { fallback } = await cloud.stats();
  assertEquals(fallback, { ImageWithoutCompiler: 2, ImageWithoutShim: 2 });
});
