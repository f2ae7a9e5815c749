/**
 * The base system: the read-only root of every sealed worker.
 *
 * Lambda's provided.al2023 holds bash, coreutils, grep, sed, awk, find, gzip and the C library's
 * parts, and little else. A worker here gets copies of those programs of this machine, with the
 * libraries and the loader that they need, so that what the user installed (a compiler, optipng) is
 * as absent as it is in Lambda: it must come with the job. Links cannot stand in for copies, as the
 * target would have to be there, too.
 *
 * It is built once in `DIRECTORY/<hash>` under another name and renamed; beside it `<hash>.json`
 * names every source with its size and time. As long as they are the same the base is used again.
 */
import { dirname, join } from "@std/path/posix";
import { LlamaError, messageOf } from "../job/errors.ts";
import { asArray, asString, parseJson } from "../job/json.ts";
import { readIfThere, removeIfThere, temporaryName, writeDurably } from "./state.ts";

/** Programs that a base system must have. */
const NEEDED = ["bash", "cat", "chroot", "env", "id", "ls", "mkdir", "rm"];

/** Programs that it has if this machine has them: those of coreutils-single, grep, sed, gawk, gzip, findutils. */
const WANTED = (
  "arch b2sum base32 base64 basename basenc chgrp chmod chown cksum comm cp csplit cut date dd df " +
  "dir dircolors dirname du echo expand expr factor false fmt fold groups head hostid install join " +
  "link ln logname md5sum mkfifo mknod mktemp mv nice nl nohup nproc numfmt od paste pathchk pinky " +
  "pr printenv printf ptx pwd readlink realpath rmdir runcon seq sha1sum sha224sum sha256sum " +
  "sha384sum sha512sum shred shuf sleep sort split stat stdbuf stty sum sync tac tail tee test " +
  "timeout touch tr true truncate tsort tty uname unexpand uniq unlink users vdir wc who whoami yes " +
  "grep egrep fgrep sed awk gawk gzip gunzip zcat find xargs"
).split(" ");

/** Libraries of the C compiler's and the C library's own that programs open without being linked to them. */
const LIBRARIES =
  "libgcc_s.so.1 libdl.so.2 librt.so.1 libpthread.so.0 libm.so.6 libresolv.so.2 libutil.so.1 libnss_files.so.2 libnss_dns.so.2"
    .split(" ");

const FOLDERS = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

const FILES: Readonly<Record<string, string>> = {
  "etc/passwd": "root:x:0:0:root:/root:/usr/sbin/nologin\n" +
    "worker:x:1000:1000::/home/worker:/usr/sbin/nologin\n",
  "etc/group": "root:x:0:\nworker:x:1000:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  "etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
  "etc/resolv.conf": "",
  "etc/os-release": `NAME="llama worker"\nID=llama\nID_LIKE=amzn\nPRETTY_NAME="llama worker"\n`,
  "dev/null": "",
  "dev/zero": "",
  "dev/full": "",
  "dev/random": "",
  "dev/urandom": "",
};

const LINKS: Readonly<Record<string, string>> = {
  "bin": "usr/bin",
  "sbin": "usr/sbin",
  "lib": "usr/lib",
  "lib64": "usr/lib64",
  "usr/bin/sh": "bash",
  "dev/fd": "/proc/self/fd",
  "dev/stdin": "/proc/self/fd/0",
  "dev/stdout": "/proc/self/fd/1",
  "dev/stderr": "/proc/self/fd/2",
};

const EMPTY = ["mnt", "opt", "proc", "tmp", "var/task", "var/runtime", "usr/sbin", "usr/lib64"];

const LISTS_AT_ONCE = 4;

/** A file of this machine and where it goes: [source, place in the base system]. */
type Copy = readonly [source: string, place: string];

/**
 * The folder of the base system, built if this machine's programs changed since the last time.
 * Nothing else may be kept in `directory`, and only one process may use it.
 *
 * @throws {LlamaError} `NoBaseSystem` if a program that it must have is not there.
 */
export async function openBaseSystem(directory: string): Promise<string> {
  await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
  const programs = await findPrograms();
  const base = await findKnown(directory, programs) ?? await buildNew(directory, programs);
  for await (const { name } of Deno.readDir(directory)) {
    const path = join(directory, name);
    if (path !== base && path !== `${base}.json`) await removeIfThere(path, { recursive: true });
  }
  return base;
}

async function buildNew(directory: string, programs: readonly Copy[]): Promise<string> {
  const copies = [...programs, ...await findLibraries(programs)];
  const manifest = JSON.stringify(await identities(copies));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(manifest));
  const target = join(directory, new Uint8Array(digest).toHex().slice(0, 24));
  const temporary = temporaryName(directory);
  try {
    await build(temporary, copies);
    await removeIfThere(target, { recursive: true });
    await Deno.rename(temporary, target);
  } catch (error) {
    await removeIfThere(temporary, { recursive: true });
    throw error;
  }
  await writeDurably(`${target}.json`, new TextEncoder().encode(manifest));
  return target;
}

async function findPrograms(): Promise<Copy[]> {
  const found: Copy[] = [];
  for (const name of [...NEEDED, ...WANTED]) {
    const path = await firstThere(FOLDERS.map((folder) => `${folder}/${name}`));
    if (path !== undefined) found.push([path, `usr/${name === "chroot" ? "sbin" : "bin"}/${name}`]);
    else if (NEEDED.includes(name)) {
      throw new LlamaError(
        "NoBaseSystem",
        `Cannot build the base system of workers as '${name}' is not in ${FOLDERS.join(", ")}`,
      );
    }
  }
  return found;
}

async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    try {
      return await Deno.realPath(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** One text a file that changes when the file does. */
async function identities(copies: readonly Copy[]): Promise<string[]> {
  return await Promise.all(copies.map(async ([source, place]) => {
    const { size, mtime } = await Deno.stat(source);
    return [source, place, size, mtime?.getTime() ?? 0].join("\0");
  }));
}

/** The base system of the last time, if it still is what would be built now. */
async function findKnown(
  directory: string,
  programs: readonly Copy[],
): Promise<string | undefined> {
  for await (const { name } of Deno.readDir(directory)) {
    const target = join(directory, name.slice(0, -".json".length));
    if (!name.endsWith(".json") || await readIfThere(`${target}/etc/passwd`) === undefined) {
      continue;
    }
    try {
      const text = await Deno.readTextFile(join(directory, name));
      const listed = asArray(parseJson(text, name), name).map((item) => asString(item, name));
      const copies = listed.map((item): Copy => {
        const [source = "", place = ""] = item.split("\0");
        return [source, place];
      });
      const isThis = copies.slice(0, programs.length).toString() === programs.toString() &&
        (await identities(copies)).toString() === listed.toString();
      if (isThis) return target;
    } catch (error) {
      // Written by another version, or a library is gone: build it again.
      if (!(error instanceof LlamaError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** The libraries of `programs` and their loader, as the C library's own loader names them. */
async function findLibraries(programs: readonly Copy[]): Promise<Copy[]> {
  const bash = programs.find(([, place]) => place === "usr/bin/bash")?.[0] ?? "";
  const first = await listWith("ldd", [bash]);
  const loader = first.find((path) => /\/ld[^/]*\.so[^/]*$/.test(path));
  const libc = first.find((path) => /\/libc\.so\.6$/.test(path));
  if (loader === undefined || libc === undefined) {
    throw new LlamaError(
      "NoBaseSystem",
      "Cannot build the base system of workers as 'bash' is not linked to a libc.so.6",
    );
  }
  const paths = new Set([...first, ...LIBRARIES.map((name) => join(dirname(libc), name))]);
  const left = [...new Set(programs.map(([source]) => source))];
  // Asking the loader itself takes a fifth of the time of ldd, which is a script around it.
  await Promise.all(Array.from({ length: LISTS_AT_ONCE }, async () => {
    for (let source = left.pop(); source !== undefined; source = left.pop()) {
      for (const path of await listWith(loader, ["--list", source])) paths.add(path);
    }
  }));
  // By place, as one library may be named by way of /lib and of /usr/lib.
  const found = new Map<string, Copy>();
  for (const path of paths) {
    const source = await firstThere([path]);
    const place = path.replace(/^\/(?:usr\/)?(lib[^/]*\/)/, "usr/$1");
    if (source !== undefined) found.set(place, [source, place]);
  }
  return [...found.values()];
}

/** Paths that `program` lists: none for a program that is static or a script. */
async function listWith(program: string, args: string[]): Promise<string[]> {
  try {
    const { stdout } = await new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { PATH: FOLDERS.join(":"), LC_ALL: "C" },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm);
    return [...lines].map(([, path = ""]) => path);
  } catch (cause) {
    throw new LlamaError(
      "NoBaseSystem",
      `Cannot build the base system of workers as '${program}' does not run: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function build(root: string, copies: readonly Copy[]): Promise<void> {
  await Deno.mkdir(root, { mode: 0o755 });
  for (const folder of EMPTY) await Deno.mkdir(join(root, folder), { recursive: true });
  for (const [place, text] of Object.entries(FILES)) {
    await Deno.mkdir(dirname(join(root, place)), { recursive: true });
    await Deno.writeTextFile(join(root, place), text);
    await Deno.chmod(join(root, place), 0o644);
  }
  const copied = new Map<string, string>();
  for (const [source, place] of copies) {
    const target = join(root, place.replace(/^\//, ""));
    await Deno.mkdir(dirname(target), { recursive: true });
    const before = copied.get(source);
    if (before !== undefined) await Deno.link(before, target);
    else {
      await Deno.copyFile(source, target);
      // No set-id bit: nothing in a worker gives a right that the worker has not.
      await Deno.chmod(target, 0o755);
      copied.set(source, target);
    }
  }
  for (const [place, target] of Object.entries(LINKS)) {
    await Deno.symlink(target, join(root, place));
  }
  await openFolders(root);
}

/** Makes all folders readable to the worker, whatever this process's umask is. */
async function openFolders(path: string): Promise<void> {
  await Deno.chmod(path, 0o755);
  for await (const entry of Deno.readDir(path)) {
    if (entry.isDirectory) await openFolders(join(path, entry.name));
  }
}
