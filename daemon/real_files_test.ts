import { assert, assertEquals, assertRejects } from "@std/assert";
import { isSettled, sameState } from "../cc/file_system.ts";
import { realFiles, realProcesses } from "./real_files.ts";

const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("realFiles tells kinds, and follows links only where that is asked", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "12345");
    await Deno.chmod(`${folder}/file`, 0o751);
    await Deno.mkdir(`${folder}/folder`);
    await Deno.symlink("file", `${folder}/link`);
    await Deno.symlink("none", `${folder}/gone`);
    const { stat, lstat } = realFiles;
    const info = await Deno.stat(`${folder}/file`);
    const state = stat(`${folder}/file`);
    assert(state);
    assertEquals(
      [state.kind, state.mode, state.size, state.inode, Math.floor(state.mtimeMs)],
      ["file", 0o751, 5, info.ino, info.mtime?.getTime()],
    );
    assertEquals(stat(`${folder}/link`), state);
    assertEquals(lstat(`${folder}/link`)?.kind, "link");
    assertEquals(stat(`${folder}/folder`)?.kind, "folder");
    assertEquals(stat("/dev/null")?.kind, "other");
    assertEquals([stat(`${folder}/gone`), lstat(`${folder}/gone`)?.kind], [undefined, "link"]);
    assertEquals(realFiles.readLink(`${folder}/gone`), "none");
  }));

Deno.test("realFiles has nothing where there is nothing to see", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "");
    await Deno.symlink("loop", `${folder}/loop`);
    const { stat, lstat, read, list, readLink } = realFiles;
    for (
      const path of [
        `${folder}/none`,
        `${folder}/file/x`,
        `${folder}/loop/x`,
        `${folder}/a\0b`,
        `${folder}/${"x".repeat(300)}`,
      ]
    ) {
      assertEquals(
        [stat(path), lstat(path), read(path), list(path), readLink(path)],
        [undefined, undefined, undefined, undefined, undefined],
        path,
      );
    }
    assertEquals(stat(`${folder}/loop`), undefined);
    assertEquals([read(folder), list(`${folder}/file`)], [undefined, undefined]);
    assertEquals(readLink(`${folder}/file`), undefined);
  }));

Deno.test("realFiles reads bytes and lists entries without following links", () =>
  withFolder(async (folder) => {
    const bytes = crypto.getRandomValues(new Uint8Array(1000));
    await Deno.writeFile(`${folder}/file`, bytes);
    await Deno.mkdir(`${folder}/sub`);
    await Deno.symlink("sub", `${folder}/link`);
    assertEquals(realFiles.read(`${folder}/file`), bytes);
    assertEquals(
      realFiles.list(folder)?.toSorted((a, b) => a.name < b.name ? -1 : 1),
      [
        { name: "file", kind: "file" },
        { name: "link", kind: "link" },
        { name: "sub", kind: "folder" },
      ],
    );
    assertEquals(realFiles.list("/dev")?.find(({ name }) => name === "null")?.kind, "other");
  }));

Deno.test("realFiles reads a link anew when that was made anew", () =>
  withFolder(async (folder) => {
    const link = `${folder}/link`;
    for (const target of ["one", "two", "six"]) {
      await Deno.symlink(target, link);
      assertEquals(realFiles.readLink(link), target);
      // Long enough for it to be remembered.
      await delay(realFiles.settleMs + 20);
      assertEquals([realFiles.readLink(link), realFiles.readLink(link)], [target, target]);
      await Deno.remove(link);
      assertEquals(realFiles.readLink(link), undefined);
    }
  }));

Deno.test("a change that keeps size and modification time is seen in the file's state", () =>
  withFolder(async (folder) => {
    const path = `${folder}/file`;
    await Deno.writeTextFile(path, "one");
    await Deno.utime(path, 1000, 1000);
    const before = realFiles.stat(path);
    assert(before && sameState(before, before));
    await Deno.writeTextFile(`${folder}/new`, "two");
    await Deno.utime(`${folder}/new`, 1000, 1000);
    await Deno.rename(`${folder}/new`, path);
    const after = realFiles.stat(path);
    assert(after);
    assertEquals([after.size, after.mtimeMs], [before.size, before.mtimeMs]);
    assertEquals(sameState(before, after), false);
    // Its state has just changed, though its modification time is long ago.
    assertEquals(isSettled(after, realFiles.now(), realFiles.settleMs), false);
  }));

Deno.test("realProcesses runs a program in a folder with exactly the given environment", () =>
  withFolder(async (folder) => {
    const real = await Deno.realPath(folder);
    const script = 'pwd; echo "$ONLY,$HOME"; echo "$1" >&2; cat; exit 3';
    assertEquals(
      await realProcesses.run("/bin/sh", ["-c", script, "sh", "a  b"], {
        cwd: folder,
        env: { PATH: "/usr/bin:/bin", ONLY: "this" },
      }),
      { code: 3, stdout: `${real}\nthis,\n`, stderr: "a  b\n" },
    );
    await assertRejects(
      () => realProcesses.run(`${folder}/none`, [], { cwd: "/", env: {} }),
      Deno.errors.NotFound,
    );
  }));
