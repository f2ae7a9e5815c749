import { assertEquals, assertRejects } from "@std/assert";
import { filesOf, isReplaceable, removeIfThere, writeOutput } from "./write_output.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const text = (value: string) => new TextEncoder().encode(value);
const modeOf = async (path: string) => ((await Deno.stat(path)).mode ?? 0) & 0o7777;
const namesIn = (folder: string) => Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();

Deno.test("writeOutput() makes a new file with the client's umask, whatever the daemon's is", () =>
  withFolder(async (folder) => {
    for (const replacement of ["unlink", "truncate"] as const) {
      for (const [umask, mode] of [[0o22, 0o644], [0o77, 0o600], [0, 0o666], [0o777, 0]] as const) {
        const path = `${folder}/${replacement}-${umask}`;
        await writeOutput(path, text("new"), { umask, replacement });
        assertEquals(await modeOf(path), mode);
        if (mode & 0o400) assertEquals(await Deno.readTextFile(path), "new");
      }
    }
    assertEquals(namesIn(folder).length, 8);
  }));

Deno.test("writeOutput() replaces an object with its mode, and keeps that of a dependency file", () =>
  withFolder(async (folder) => {
    const path = `${folder}/out`;
    for (const [replacement, mode] of [["unlink", 0o644], ["truncate", 0o640]] as const) {
      await Deno.writeTextFile(path, "a longer old text");
      await Deno.chmod(path, 0o640);
      await writeOutput(path, text("new"), { umask: 0o22, replacement });
      assertEquals([await Deno.readTextFile(path), await modeOf(path)], ["new", mode]);
    }
    assertEquals(namesIn(folder), ["out"]);
  }));

Deno.test("writeOutput() leaves what others have opened as it was", () =>
  withFolder(async (folder) => {
    const path = `${folder}/out`;
    await Deno.writeTextFile(path, "old");
    using reader = await Deno.open(path);
    await writeOutput(path, text("new"), { umask: 0o22, replacement: "unlink" });
    const bytes = new Uint8Array(10);
    assertEquals(await reader.read(bytes), 3);
    assertEquals(new TextDecoder().decode(bytes.subarray(0, 3)), "old");
  }));

Deno.test("writeOutput() leaves nothing behind where it fails", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/taken/inside`, { recursive: true });
    const options = { umask: 0o22, replacement: "unlink" } as const;
    await assertRejects(() => writeOutput(`${folder}/taken`, text("x"), options), Error);
    await assertRejects(
      () => writeOutput(`${folder}/none/out`, text("x"), options),
      Deno.errors.NotFound,
    );
    assertEquals(namesIn(folder), ["taken"]);
  }));

Deno.test("writeOutput() does not replace a file that could not be written into", () =>
  withFolder(async (folder) => {
    const path = `${folder}/busy`;
    await Deno.copyFile("/bin/cat", path);
    const size = (await Deno.stat(path)).size;
    // A program that runs cannot be written, not even by root (open(2), ETXTBSY).
    const child = new Deno.Command(path, { stdin: "piped", stdout: "piped" }).spawn();
    const writer = child.stdin.getWriter();
    const reader = child.stdout.getReader();
    try {
      await writer.write(text("runs"));
      await reader.read();
      await assertRejects(
        () => writeOutput(path, text("new"), { umask: 0o22, replacement: "truncate" }),
        Error,
      );
      assertEquals([(await Deno.stat(path)).size, namesIn(folder)], [size, ["busy"]]);
      await writeOutput(path, text("new"), { umask: 0o22, replacement: "unlink" });
      assertEquals(await Deno.readTextFile(path), "new");
    } finally {
      await writer.close();
      await reader.cancel();
      await child.status;
    }
  }));

Deno.test({
  name: "writeOutput() does not replace a read-only dependency file",
  ignore: Deno.uid() === 0,
  fn: () =>
    withFolder(async (folder) => {
      const path = `${folder}/a.d`;
      await Deno.writeTextFile(path, "old", { mode: 0o444 });
      await assertRejects(
        () => writeOutput(path, text("new"), { umask: 0o22, replacement: "truncate" }),
        Deno.errors.PermissionDenied,
      );
      assertEquals([await Deno.readTextFile(path), namesIn(folder)], ["old", ["a.d"]]);
      await writeOutput(path, text("new"), { umask: 0o22, replacement: "unlink" });
      assertEquals(await Deno.readTextFile(path), "new");
    }),
});

Deno.test("removeIfThere() does not mind that there is nothing, and minds all else", () =>
  withFolder(async (folder) => {
    await removeIfThere(`${folder}/none`);
    await Deno.writeTextFile(`${folder}/a`, "");
    await removeIfThere(`${folder}/a`);
    assertEquals(namesIn(folder), []);
    await Deno.mkdir(`${folder}/d/e`, { recursive: true });
    await assertRejects(() => removeIfThere(`${folder}/d`), Error);
  }));

Deno.test("isReplaceable() spares devices, links and folders", () => {
  assertEquals(
    [undefined, "file", "link", "folder", "other"].map((kind) =>
      isReplaceable(kind === undefined ? undefined : { kind })
    ),
    [true, true, false, false, false],
  );
});

Deno.test("filesOf() takes only regular files", () => {
  const file = {
    kind: "file",
    path: "/a",
    mode: 0o644,
    content: { bytes: new Uint8Array() },
  } as const;
  const link = { kind: "link", path: "/b", target: "/etc/passwd" } as const;
  const folder = { kind: "folder", path: "/c", mode: 0o755 } as const;
  assertEquals(filesOf([link, file, folder]), new Map([["/a", file]]));
});
