import { assert, assertEquals } from "@std/assert";
import { createMemoryFiles } from "../cc/memory_files_fixture.ts";
import { recordedProcesses } from "../cc/recorded_processes_fixture.ts";
import { dataOf } from "./program_data.ts";

/** What `program` needs if it answers `answer`; all of `there` exist. */
async function ask(
  program: string,
  answer: string | { code: number; stdout: string; stderr: string },
  there: readonly string[],
  libraries: readonly string[] = [],
) {
  const files = createMemoryFiles();
  for (const path of there) files.folder(path);
  const processes = recordedProcesses(() => answer);
  const paths = await dataOf(program, libraries, "/usr/bin", { files, processes });
  return { paths, calls: processes.calls };
}

Deno.test("dataOf() takes the folders that an interpreter names, each once and if it is there", async () => {
  const { paths, calls } = await ask(
    "/usr/bin/perl",
    "/etc/perl\n/usr/share/perl5/\n/none\nrelative\n/etc/perl\n",
    ["/etc/perl", "/usr/share/perl5", "/relative"],
  );
  assertEquals(paths, ["/etc/perl", "/usr/share/perl5"]);
  assertEquals(calls.map(({ env }) => env), [{ LC_ALL: "C", PATH: "/usr/bin" }]);
  for (const name of ["python", "python3", "python3.11"]) {
    assertEquals((await ask(`/x/${name}`, "/lib/py\n", ["/lib/py"])).paths, ["/lib/py"]);
  }
});

Deno.test("dataOf() never sends everything", async () => {
  assertEquals((await ask("/usr/bin/perl", "/\n/.\n", [])).paths, []);
});

Deno.test("dataOf() reads the settings of ImageMagick and the place of file's magic", async () => {
  const listed = "Name  Value\n-----\nCC  gcc\nCODER_PATH     /lib/IM/coders\n" +
    "CONFIGURE_PATH /etc/IM/\nPREFIX         /usr\nSHARE_PATH     /share/IM with space\n";
  const there = ["/lib/IM/coders", "/etc/IM", "/usr", "/share/IM with space"];
  const linked = ["/usr/lib/libMagickCore-6.Q16.so.6", "/lib/libc.so.6"];
  for (const name of ["convert", "magick", "identify-im6.q16"]) {
    const { paths } = await ask(`/usr/bin/${name}`, listed, there, linked);
    assertEquals(paths, ["/lib/IM/coders", "/etc/IM", "/share/IM with space"]);
  }
  const said = "file-5.44\nmagic file from /etc/magic:/usr/share/misc/magic\n";
  const magic = ["/etc/magic", "/usr/share/misc/magic.mgc"];
  assertEquals((await ask("/bin/file", said, magic, ["/lib/libmagic.so.1"])).paths, magic);
});

Deno.test("dataOf() does not run programs that it does not know", async () => {
  for (
    const program of ["/usr/bin/jq", "/home/me/convert", "/bin/file", "/x/perl-tidy", "/x/pythonic"]
  ) {
    const { paths, calls } = await ask(program, "/etc\n", ["/etc"], ["/lib/libc.so.6"]);
    assertEquals([paths, calls], [[], []]);
  }
});

Deno.test("dataOf() leaves out a program that does not answer", async () => {
  const { paths, calls } = await ask("/x/perl", { code: 2, stdout: "/etc", stderr: "" }, ["/etc"]);
  assertEquals(paths, []);
  assert(calls.length === 1);
});
