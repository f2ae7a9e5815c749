import { assert, assertEquals } from "@std/assert";
import { basename, dirname } from "@std/path/posix";

const SHIM = new URL("./path_shim.c", import.meta.url).pathname;
const CALLS = new URL("../tests/path_shim/calls.c", import.meta.url).pathname;

/** Calls that must answer under the path shim what they answer in a chroot; see calls.c. */
const CASES = `
open /data/file 0
open //data///file 0
open /data/file 01
open /data/missing 0
open /data 0
open /data/file/ 0
open /data/file/below 0
open '' 0
open NULL 0
open long:5000 0
open /data/link 0
open /data/abs 0
open /data/dangling 0
open /data/locked 0
open /../data/file 0
open /data/../../../data/file 0
open /data/missing/../../file 0
open /data/missing/../../../data/file 0
open /data/dirlink/../file 0
open /data/toroot/../data/file 0
open /data/toroot/../../data/file 0
open /data/deep/up/../../../data/file 0
open /etc/hostname 0
open /etc/passwd 0
open /dev/null 0
open /dev/../data/file 0
open /dev/../etc/passwd 0
open /proc/self/../../data/file 0
open /new/one 0101
open /lab/new 0101 ; open /lab/new 0301 ; unlink /lab/new
open_flags /data/file 0
openat cwd data/file 0
openat cwd ../../../data/file 0
openat cwd ../etc/passwd 0
openat dir:/data file 0
openat dir:/data ../data/file 0
openat dir:/data ../../../data/file 0
openat dir:/data/dir ../../../../etc/passwd 0
openat dir:/data /data/file 0
openat dir:/data missing 0
openat -1 file 0
creat /lab/created ; stat /lab/created ; creat /missing/created
fopen /data/file r
fopen /data/missing r
fopen /data r
freopen /data/file r
freopen /data/missing r
write /lab/written ; append /lab/written ; fopen /lab/written r ; unlink /lab/written
write /missing/written
stat /data/file
stat /data/link
stat /data/dangling
stat /data/missing
stat /data/file/
stat /data/dir/
stat /
stat /..
stat /data/loop
stat ''
stat NULL
stat long:5000
stat /dev/null
stat /proc/self/exe
lstat /data/link
lstat /data/abs
lstat /data/dangling
lstat /data/dirlink/
lstat /etc/passwd
fstatat dir:/data file 0
fstatat dir:/data link 0x100
fstatat dir:/data '' 0x1000
fstatat dir:/data missing 0
fstatat dir:/data ../../etc/passwd 0
statx dir:/data file 0
statx cwd /data/abs 0x100
statx dir:/data '' 0x1000
statx cwd /etc/passwd 0
access /data/file 4
access /data/missing 0
access /usr/bin/noexec 1
access /etc/passwd 4
access '' 0
eaccess /data/file 4
eaccess /data/missing 4
euidaccess /data/file 4
faccessat dir:/data file 4 0
faccessat cwd /data/missing 4 0
readlink /data/link
readlink /data/link 2
readlink /data/link 0
readlink /data/abs
readlink /data/abs 3
readlink /data/file
readlink /data/missing
readlink /proc/self/exe
readlink /proc/self/cwd
chdir /data/dir ; readlink /proc/self/cwd
readlinkat dir:/data link
readlinkat dir:/data file
realpath /data/file
realpath /data/link
realpath /data/abs
realpath /data/dirlink/a
realpath /data/missing
realpath_into /data/missing/deeper
realpath_into /data/dirlink/../link
realpath /data/file/
realpath /data/loop
realpath /
realpath /../..
realpath .
realpath ''
realpath NULL
realpath /proc/self/exe
realpath /dev/null
realpath /etc/passwd
canonicalize_file_name /data/dirlink/a
canonicalize_file_name /data/missing
getcwd ; getcwd_new ; get_current_dir_name
chdir /data/dir ; getcwd ; getcwd_new ; get_current_dir_name
chdir /data/dir ; getcwd 9 ; getcwd 10 ; getcwd 0
chdir /data/dirlink ; getcwd ; setenv PWD /data/dirlink ; get_current_dir_name
chdir /data/dirlink ; setenv PWD /data/link ; get_current_dir_name
chdir /data/dir ; setenv PWD /etc ; get_current_dir_name
chdir /data/dir ; chdir ../.. ; getcwd ; chdir .. ; getcwd ; chdir ../../data ; getcwd
chdir /data/missing ; chdir /data/file ; chdir /etc
fchdir dir:/data/dir ; getcwd ; openat cwd ../file 0 ; openat cwd ../../../../data/file 0
mkdir /lab/gone ; chdir /lab/gone ; rmdir /lab/gone ; getcwd ; openat cwd x 0
opendir /data/dir
opendir /data/dirlink
opendir /data/file
opendir /data/missing
opendir /data/missing/
opendir /etc
opendir ..
fdopendir dir:/data/dir
fdopendir -1
scandir /data/dir
scandir /data/missing
scandirat dir:/data dir
nftw /data/dir
nftw /data/missing
chdir /data ; nftw dir
ftw /data/dir
ftw /etc
glob /data/dir/*
glob /data/d*/a
glob /data/nothing*
glob /etc/pass*
chdir /data ; glob dir/[ab]
mkdir /lab/d ; mkdir /lab/d ; stat /lab/d ; rmdir /lab/d ; rmdir /lab/d
mkdir /missing/d
mkdir /data/file/d
mkdir /lab/../../../lab/e ; rmdir /lab/e
mkdirat dir:/lab d ; mkdirat dir:/lab d ; unlinkat dir:/lab d 0x200
rmdir /data
unlink /data/missing
unlink /data/dir
remove /lab/missing ; creat /lab/r ; remove /lab/r ; mkdir /lab/r ; remove /lab/r
creat /lab/a ; rename /lab/a /lab/b ; stat /lab/a ; stat /lab/b ; unlink /lab/b
rename /data/missing /lab/b
creat /lab/a ; rename /lab/a /missing/b ; unlink /lab/a
creat /lab/a ; rename /lab/a /../lab/b ; stat /lab/b ; unlink /lab/b
creat /lab/a ; renameat dir:/lab a cwd /lab/b ; unlink /lab/b
creat /lab/a ; renameat2 dir:/lab a cwd /data/file ; unlink /lab/a
link /data/file /lab/hard ; open /lab/hard 0 ; unlink /lab/hard
link /data/missing /lab/hard
link /data/file /data/link
linkat dir:/data file dir:/lab hard ; unlink /lab/hard
symlink /data/file /lab/s ; readlink /lab/s ; lstat /lab/s ; statx cwd /lab/s 0x100 ; open /lab/s 0 ; realpath /lab/s ; unlink /lab/s
symlink /data /lab/s ; open /lab/s/file 0 ; open /lab/s/../data/file 0 ; unlink /lab/s
symlink / /lab/s ; open /lab/s/data/file 0 ; open /lab/s/../data/file 0 ; opendir /lab/s/data/dir ; unlink /lab/s
symlink ../data/file /lab/s ; readlink /lab/s ; open /lab/s 0 ; unlink /lab/s
symlink /dev/null /lab/s ; readlink /lab/s ; stat /lab/s ; unlink /lab/s
symlink /etc/passwd /lab/s ; open /lab/s 0 ; readlink /lab/s ; unlink /lab/s
symlink '' /lab/s
symlink x /data/file
symlink x /missing/s
symlinkat /data/file dir:/lab s ; readlinkat dir:/lab s ; unlink /lab/s
creat /lab/m ; chmod /lab/m 0600 ; stat /lab/m ; fchmodat dir:/lab m 0640 ; stat /lab/m ; unlink /lab/m
chmod /data/missing 0600
chown /data/file ; chown /data/missing ; lchown /data/link ; fchownat dir:/data file ; fchownat dir:/data missing
creat /lab/t ; truncate /lab/t 7 ; stat /lab/t ; utime /lab/t ; utimes /lab/t ; lutimes /lab/t ; futimesat cwd /lab/t ; utimensat dir:/lab t ; unlink /lab/t
truncate /data/missing 1
utime /data/missing ; utimes /data/missing ; lutimes /data/missing ; futimesat dir:/data missing ; utimensat cwd /etc/passwd
mkfifo /lab/f ; stat /lab/f ; unlink /lab/f ; mkfifo /missing/f ; mkfifoat dir:/lab f ; unlink /lab/f
mknod /lab/n ; stat /lab/n ; mknod /lab/n ; unlink /lab/n ; mknodat dir:/lab n ; unlink /lab/n
mkstemp /lab/tmpXXXXXX
mkstemp /lab/tmpXXXXX
mkstemp /missing/tmpXXXXXX
mkstemp XXX
mkstemp /../lab/tmpXXXXXX
chdir /lab ; mkstemp tmpXXXXXX
mkostemp /lab/tmpXXXXXX
mkstemps /lab/tmpXXXXXX.txt 4
mkstemps /lab/tmpXXXXXX.txt 3
mkostemps /lab/tmpXXXXXX.s 2
mkdtemp /lab/dirXXXXXX
mkdtemp /missing/dirXXXXXX
tempnam /lab
tempnam /missing
statfs /data/file ; statfs /data/missing ; statvfs /data/file ; statvfs /etc/passwd
pathconf /data/file ; pathconf /data/missing
inotify_add_watch /data/file ; inotify_add_watch /data/missing
getxattr /data/missing ; listxattr /data/missing ; listxattr /data/file
execv /usr/bin/calls one two
execv /usr/bin/missing one
execv /data one
execv /usr/bin/noexec one
execv /usr/bin/env one
execve /../usr/bin/calls one
execve /usr/bin/script one two
execve /usr/bin/argument-script one two
execve /usr/bin/nested-script one
execve /usr/bin/endless-script one
execve /usr/bin/orphan-script one
execve /usr/bin/noexec-script one
execve /usr/bin/headless one
execve /usr/bin/empty-script one
chdir /usr/bin ; execve script one ; execve ./script one
chdir /usr/bin ; execve ./calls one
clearenv ; execv /usr/bin/calls one
clearenv ; execv /usr/bin/script one
execve_bare /usr/bin/calls one
execve_bare /usr/bin/script one
setenv LD_LIBRARY_PATH /opt/lib ; execv /usr/bin/calls one
setenv LD_LIBRARY_PATH /opt/lib ; setenv LD_PRELOAD '' ; execv /usr/bin/script one
execvp calls one
execvp script one
execvp missing one
execvp '' one
execvp /usr/bin/script one
execvp headless one
execvp noexec one
execvp noexec-script one
setenv PATH /usr/local/bin:/data:/usr/bin ; execvp calls one
setenv PATH '' ; execvp calls one
setenv PATH :/nowhere ; chdir /usr/bin ; execvp script one
clearenv ; execvp calls one
execvpe calls one
execl /usr/bin/calls one two
execlp calls one two
execle /usr/bin/calls one two
fexecve /usr/bin/calls one
vfork calls one
vfork script one
vfork missing one
posix_spawn /usr/bin/calls one
posix_spawn /usr/bin/script one
posix_spawn /usr/bin/missing one
posix_spawn /usr/bin/headless one
posix_spawnp calls one
posix_spawnp script one
posix_spawnp missing one
posix_spawnp noexec one
spawn_open /data/file
spawn_open /data/missing
spawn_open /etc/passwd
spawn_chdir /data
system echo~hello;pwd
system exit~3
system kill~-9~$$
system NULL
system cat~/data/file
popen echo~hello;cd~/data/dir;pwd
popen exit~4
popen_write read~line;echo~got~$line
dlopen /opt/lib/plug.so
dlopen /opt/lib/missing.so
dlopen plug.so
dlopen missing.so
dlopen NULL
bindtextdomain /usr/share/locale
auxiliary ; invocation
connect
sys_openat cwd /data/file ; sys_openat dir:/data file ; sys_openat cwd /etc/passwd
sys_statx cwd /data/file ; sys_statx cwd /etc/passwd ; sys_faccessat2 cwd /data/file ; sys_faccessat2 cwd /data/missing
sys_readlinkat cwd /data/abs
chdir /data/dir ; sys_getcwd
creat /lab/a ; sys_renameat2 dir:/lab a cwd /lab/b ; unlink /lab/b
sys_execve /usr/bin/script one
`.trim();

/** Calls and what the log must hold of them, but for the start of the process. */
const RECORDS: Record<string, string[]> = {
  "open /data/file 0": ["O/data/file"],
  "open //data/file 0": ["O/data/file"],
  "open /data/missing 0": ["A/data/missing"],
  "open /data/file/below 0": ["A/data/file/below"],
  "open /data 01": ["O/data"],
  "open /data/dir/../file 0": ["O/data/dir/../file"],
  "open /../data/file 0": ["O/../data/file"],
  "open /data/missing 0 ; open /data/missing 0": ["A/data/missing"],
  "open long:5000 0": [`A${Array.from({ length: 5000 }, (_, i) => i % 200 ? "x" : "/").join("")}`],
  "open '' 0": [],
  "open /dev/null 0": [],
  "open /dev/missing 0": [],
  "open /dev/stdin 0": ["O/dev/stdin"],
  "open /proc/self/fd/0 0": ["O/proc/self/fd/0"],
  "open /proc/version 0": ["O/proc/version"],
  "open /proc/meminfo 0 ; open /proc/self/exe 0 ; open /dev/urandom 0": [],
  "stat /sys/devices/system/cpu/online": [],
  "open /lab/new 0101 ; unlink /lab/new": [],
  "open /lab/new 0301 ; open /lab/new 0101 ; open /lab/new 0301": [],
  "open /lab/new 0301 ; unlink /lab/new ; open /lab/new 0": ["A/lab/new"],
  "open /lab/new 0301 ; execv /usr/bin/script one": ["O/bin/sh", "O/usr/bin/script"],
  "open /data/file 0101 ; open /data/file 0": ["O/data/file"],
  "chdir /lab ; creat new ; stat /lab/new": ["O/lab"],
  "open /missing/new 0101": ["A/missing/", "A/missing/new"],
  "openat cwd data/file 0": ["O/data/file"],
  "openat dir:/data missing 0": ["A/data/missing", "O/data"],
  "openat -1 missing 0": [],
  "chdir /data/dir ; openat cwd ../missing 0": ["A/data/dir/../missing", "O/data/dir"],
  "openat cwd ../../data/file 0": ["O/../../data/file"],
  "fopen /data/missing r": ["A/data/missing"],
  "write /lab/w": [],
  "write /lab/w ; write /lab/w": [],
  "stat /data/dangling ; lstat /data/dangling": ["A/data/dangling", "O/data/dangling"],
  "readlink /data/file": ["O/data/file"],
  "readlink /data/missing": ["A/data/missing"],
  "realpath /data/missing": ["A/data/missing"],
  "access /usr/bin/noexec 1": ["O/usr/bin/noexec"],
  "opendir /data/dir": ["L/data/dir"],
  "opendir /data/file": ["O/data/file"],
  "opendir /data/missing": ["A/data/missing"],
  "fdopendir dir:/data/dir": ["L/data/dir", "O/data/dir"],
  "scandir /data/dir": ["L/data/dir"],
  "nftw /data/dir": [
    "L/data/dir",
    "O/data/dir",
    "O/data/dir/a",
    "O/data/dir/b",
    "O/data/dir/c",
  ],
  "glob /data/dir/[a]": ["L/data/dir", "O/data/dir/a"],
  "mkdir /lab/d": [],
  "mkdir /data": ["O/data"],
  "mkdir /missing/d": ["A/missing/", "A/missing/d"],
  "mkstemp /lab/madeXXXXXX": [], // the program asks for it afterwards
  "mkstemp /missing/xXXXXXX": ["A/missing/"],
  "rename /data/missing /data/file": ["A/data/missing", "O/data/file"],
  "creat /lab/a ; rename /lab/a /lab/b ; stat /lab/b": [],
  "symlink /data/none /lab/link ; readlink /lab/link": [],
  "execv /usr/bin/missing one": ["A/usr/bin/missing"],
  "execvp calls one": ["A/usr/local/bin/calls", "O/usr/bin/calls"],
  "vfork missing one": ["A/bin/missing", "A/usr/bin/missing", "A/usr/local/bin/missing"],
  "posix_spawnp missing one": ["A/bin/missing", "A/usr/bin/missing", "A/usr/local/bin/missing"],
  "execv /usr/bin/script one": ["O/bin/sh", "O/usr/bin/script"],
  "execv /usr/bin/orphan-script one": ["A/no/interpreter", "O/usr/bin/orphan-script"],
  "clearenv ; execv /usr/bin/script one": ["O/bin/sh", "O/usr/bin/script"],
  "execv /usr/bin/static one": [
    'Bstatically linked program "/usr/bin/static"',
    "O/usr/bin/static",
  ],
  "execv /usr/bin/setuid one": ['Bsetuid program "/usr/bin/setuid"', "O/usr/bin/setuid"],
  "spawn_open /data/missing": ["A/data/missing", "O/bin/sh"],
  "dlopen /opt/lib/missing.so": ["A/opt/lib/missing.so"],
  "dlopen /opt/lib/plug.so": ["O/opt/lib/plug.so"],
  "setenv LANG de_DE.UTF-8 ; bindtextdomain /locale": [
    "A/locale/de/LC_MESSAGES/calls.mo",
    "A/locale/de_DE/LC_MESSAGES/calls.mo",
    "A/locale/de_DE.UTF-8/LC_MESSAGES/calls.mo",
  ],
  "connect": ["Bnetwork"],
  "sys_openat cwd /data/missing": ["A/data/missing"],
  "sys_acct NULL": ["Bdirect system call 163"],
};

/** What calls.c writes before each line of calls. */
const CASE = "\n# ";

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  command: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; stdin?: string } = {},
): Promise<Ran> {
  const child = new Deno.Command(command[0] ?? "", {
    args: command.slice(1),
    clearEnv: options.env !== undefined,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env && { env: options.env }),
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(options.stdin ?? ""));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  return {
    code,
    stdout: new TextDecoder().decode(stdout),
    stderr: new TextDecoder().decode(stderr),
  };
}

/** What `command` writes to standard output; it must succeed. */
async function told(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  assertEquals(code, 0, `${command.join(" ")}\n${stderr}`);
  return stdout;
}

function canRun(...command: string[]): boolean {
  try {
    return new Deno.Command(command[0] ?? "", {
      args: command.slice(1),
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Puts the local file `path` at the same place below `root`, with every link on the way; absolute
 * ones are written with `prefix`.
 */
async function lay(root: string, path: string, prefix = root): Promise<void> {
  const todo = path.split("/").filter((name) => name !== "" && name !== ".");
  let here = "";
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "..") {
      here = dirname(here).replace(/\/$/, "");
      continue;
    }
    const { isSymlink, isDirectory } = await Deno.lstat(`${here}/${name}`);
    const target = `${root}${here}/${name}`, isThere = await exists(target);
    if (isSymlink) {
      const link = await Deno.readLink(`${here}/${name}`);
      if (!isThere) await Deno.symlink(link.startsWith("/") ? prefix + link : link, target);
      if (link.startsWith("/")) here = "";
      todo.unshift(...link.split("/").filter((name) => name !== "" && name !== "."));
      continue;
    }
    here += `/${name}`;
    if (isThere) continue;
    if (isDirectory) await Deno.mkdir(target, { recursive: true });
    else await Deno.copyFile(here, target);
  }
}

/** Puts a program and all that its loader needs below `root`; the folders of its libraries. */
async function layProgram(root: string, path: string, prefix = root): Promise<string[]> {
  await lay(root, path, prefix);
  const libraries = (await run(["ldd", path])).stdout.match(/(?<=\s)\/\S+/g) ?? [];
  for (const library of libraries) await lay(root, library, prefix);
  return libraries.map(dirname);
}

/** A folder of its own for one test, without a link in its name. */
async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "path_shim_" }));
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What the test program finds in its root, where absolute links are written with `prefix`. */
async function layOut(root: string, calls: string, prefix: string): Promise<string[]> {
  const text = async (path: string, content: string, mode = 0o644) => {
    await Deno.mkdir(dirname(root + path), { recursive: true });
    await Deno.writeTextFile(root + path, content);
    await Deno.chmod(root + path, mode);
  };
  for (const path of ["/dev", "/proc", "/lab", "/tmp", "/etc", "/data/deep/x", "/usr/bin"]) {
    await Deno.mkdir(root + path, { recursive: true });
  }
  await text("/data/file", "content");
  await text("/data/locked", "locked", 0o000);
  for (const entry of ["a", "b", "c"]) await text(`/data/dir/${entry}`, entry);
  await Deno.symlink("file", `${root}/data/link`);
  await Deno.symlink("dir", `${root}/data/dirlink`);
  await Deno.symlink("nothing", `${root}/data/dangling`);
  await Deno.symlink("loop", `${root}/data/loop`);
  await Deno.symlink("..", `${root}/data/toroot`);
  await Deno.symlink("x/../..", `${root}/data/deep/up`);
  await Deno.symlink(`${prefix}/data/file`, `${root}/data/abs`);
  await text("/usr/bin/script", '#!/bin/sh\necho "script $0 $# $*"; pwd; cat() { :; }\n', 0o755);
  await text("/usr/bin/argument-script", "#!  /usr/bin/calls  an argument \nx\n", 0o755);
  await text("/usr/bin/nested-script", "#!/usr/bin/argument-script\n", 0o755);
  await text("/usr/bin/endless-script", "#!/usr/bin/endless-script\n", 0o755);
  await text("/usr/bin/orphan-script", "#!/no/interpreter\n", 0o755);
  await text("/usr/bin/noexec-script", "#!/bin/sh\necho no\n", 0o644);
  await text("/usr/bin/empty-script", "#! \n", 0o755);
  await text("/usr/bin/headless", 'echo "headless $0 $*"\n', 0o755);
  await text("/usr/bin/noexec", "x", 0o644);
  const libraries = await layProgram(root, "/bin/sh", prefix);
  await Deno.copyFile(`${built}/${calls}`, `${root}/usr/bin/calls`);
  await Deno.copyFile(`${built}/static`, `${root}/usr/bin/static`);
  await Deno.copyFile(`${built}/${calls}`, `${root}/usr/bin/setuid`);
  await Deno.chmod(`${root}/usr/bin/setuid`, 0o4755);
  await Deno.mkdir(`${root}/opt/lib`, { recursive: true });
  await Deno.copyFile(`${built}/plug.so`, `${root}/opt/lib/plug.so`);
  return [...libraries, "/opt/lib"].map((path) => root + path);
}

/** How the test program is compiled: its calls are then others of the same meaning. */
const VARIANTS: Record<string, string[]> = {
  "plain": [],
  "fortified 64-bit": ["-O2", "-D_FORTIFY_SOURCE=2", "-D_FILE_OFFSET_BITS=64"],
};

/** Folder of what is compiled once for all tests. */
let built = "";

Deno.test.beforeAll(async () => {
  built = await Deno.realPath(await Deno.makeTempDir({ prefix: "path_shim_" }));
  const plug = `${built}/plug.c`;
  await Deno.writeTextFile(
    plug,
    'const char *name(void) { return "plug"; }\nint main(void) { return 0; }\n',
  );
  const commands = [
    ["-O2", "-shared", "-fPIC", "-o", `${built}/shim.so`, SHIM, "-ldl"],
    ["-shared", "-fPIC", "-o", `${built}/plug.so`, plug],
    ["-static", "-o", `${built}/static`, plug],
    ...Object.entries(VARIANTS).map(([name, flags]) => //
    ["-w", ...flags, "-o", `${built}/${name}`, CALLS, "-ldl"]),
  ];
  await Promise.all(commands.map((command) => told("cc", ...command)));
});

Deno.test.afterAll(() => Deno.remove(built, { recursive: true }));

function shimmed(root: string, libraries: readonly string[]) {
  return {
    LD_PRELOAD: `${built}/shim.so`,
    LD_LIBRARY_PATH: [...new Set(libraries)].join(":"),
    LLAMA_SHIM_ROOT: root,
    LLAMA_SHIM_ARGV0: "/usr/bin/calls",
    PATH: "/usr/local/bin:/usr/bin:/bin",
    PWD: "/",
  };
}

async function readLog(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path);
  assert(text === "" || text.endsWith("\0"), "the log ends in the middle of a record");
  const records = text.split("\0").slice(0, -1);
  return [...new Set(records)].sort();
}

const UNSHARE = Deno.uid() === 0 ? ["unshare", "-m"] : ["unshare", "-r", "-m"];
const canChroot = canRun(...UNSHARE, "chroot", "/", "/bin/true");

for (const variant of Object.keys(VARIANTS)) {
  Deno.test({
    name: `path shim answers each ${variant} call as a chroot does`,
    ignore: !canChroot,
    fn: () =>
      withFolder(async (folder) => {
        await layOut(`${folder}/jail`, variant, "");
        const root = `${folder}/root`;
        const libraries = await layOut(root, variant, root);
        const mounts = `cd ${folder}/jail && mount --rbind /dev dev && mount --rbind /proc proc`;
        const find = "chroot=$(PATH=$PATH:/usr/sbin:/sbin command -v chroot)";
        const jailed = await run(
          [...UNSHARE, "sh", "-c", `${mounts} && ${find} && exec $chroot . /usr/bin/calls`],
          {
            env: { PATH: "/usr/local/bin:/usr/bin:/bin", PWD: "/", LD_LIBRARY_PATH: "/opt/lib" },
            stdin: CASES,
          },
        );
        assertEquals(jailed.code, 0, jailed.stderr);
        const ours = await run([`${root}/usr/bin/calls`], {
          cwd: root,
          env: shimmed(root, libraries),
          stdin: CASES,
        });
        const answers = ours.stdout.split(CASE), wanted = jailed.stdout.split(CASE);
        assertEquals(
          answers.filter((answer, index) => answer !== wanted[index]),
          wanted.filter((answer, index) => answer !== answers[index]),
        );
        assertEquals(answers.length, CASES.split("\n").length + 1);
        assertEquals(ours.stderr, jailed.stderr);
      }),
  });
}

Deno.test("path shim records what was there, listed, absent, and what it cannot see", () =>
  withFolder(async (folder) => {
    const root = `${folder}/root`, log = `${folder}/log`;
    const libraries = await layOut(root, "plain", root);
    const env = { ...shimmed(root, libraries), LLAMA_SHIM_LOG: log };
    const recorded = async (calls: string) => {
      await Deno.writeTextFile(log, "");
      for await (const { name } of Deno.readDir(`${root}/lab`)) {
        await Deno.remove(`${root}/lab/${name}`, { recursive: true });
      }
      const { code, stderr } = await run([`${root}/usr/bin/calls`], {
        cwd: root,
        env,
        stdin: calls,
      });
      assertEquals(code, 0, stderr);
      return await readLog(log);
    };
    const start = await recorded("");
    assert(start.includes("O/usr/bin/calls"), "the program itself is recorded");
    assert(start.some((line) => /^O\/.*\/libc\.so/.test(line)), "its libraries are recorded");
    assertEquals(start.filter((line) => !line.startsWith("O")), []);
    // A shell is recorded by its own name, too, and asks what "/" and "." are, to trust PWD.
    const shell = [`O${await Deno.realPath("/bin/sh")}`, "O/", "O/."];
    for (const [calls, expected] of Object.entries(RECORDS)) {
      const records = (await recorded(calls)).filter((line) =>
        !start.includes(line) && !shell.includes(line) || expected.includes(line)
      );
      assertEquals(records, expected.toSorted(), calls);
    }
  }));

Deno.test("path shim shows what an image has and the root has not, to be read in the system's folders", () =>
  withFolder(async (folder) => {
    const root = `${folder}/root`, log = `${folder}/log`;
    const libraries = await layOut(root, "plain", root);
    await Deno.mkdir(`${root}/etc`, { recursive: true });
    await Deno.writeTextFile(`${root}/etc/hostname`, "of the job");
    const records = async (calls: string, image: Readonly<Record<string, string>>) => {
      await Deno.writeTextFile(log, "");
      const env = { ...shimmed(root, libraries), LLAMA_SHIM_LOG: log, ...image };
      const { stdout } = await run([`${root}/usr/bin/calls`], { cwd: root, env, stdin: calls });
      const lines = await readLog(log);
      return [...new Set([stdout.trim().split("\n").at(-1), ...lines])]
        .filter((line) =>
          line?.includes("passwd") || line?.includes("hostname") || / = /.test(line ?? "")
        );
    };
    const IMAGE = { LLAMA_SHIM_IMAGE: "1" };
    const [[, absent], [, shown], [, own], [, made]] = [
      await records("stat /etc/passwd\n", {}),
      await records("stat /etc/passwd\n", IMAGE),
      await records("stat /etc/hostname\n", IMAGE),
      await records("open /etc/passwd 01101\n", IMAGE),
    ];
    assertEquals([absent, shown, own], ["A/etc/passwd", "I/etc/passwd", "O/etc/hostname"]);
    // What is written is below the root, and nothing of the image's.
    assertEquals([made, (await Deno.stat(`${root}/etc/passwd`)).size], [undefined, 0]);
  }));

Deno.test("path shim gives the first program its argv[0], and only that one", () =>
  withFolder(async (folder) => {
    const root = `${folder}/root`;
    const env = {
      ...shimmed(root, await layOut(root, "plain", root)),
      LLAMA_SHIM_ARGV0: "some/name",
    };
    const { stdout } = await run([`${root}/usr/bin/calls`], {
      cwd: root,
      env,
      stdin: "invocation ; posix_spawn /usr/bin/calls one\n",
    });
    assertEquals(stdout.split("\n").slice(2, 4), [
      '  invocation = 0 "some/name name"',
      "argv [/usr/bin/calls] [one] MARK=",
    ]);
  }));

Deno.test("path shim ends a process whose record it cannot write", () =>
  withFolder(async (folder) => {
    const root = `${folder}/root`;
    const env = shimmed(root, await layOut(root, "plain", root));
    const command = new Deno.Command(`${root}/usr/bin/calls`, {
      clearEnv: true,
      env: { ...env, LLAMA_SHIM_LOG: "/dev/full" },
      stdin: "null",
    });
    assertEquals((await command.output()).signal, "SIGKILL");
  }));

Deno.test("path shim passes every call on when no root is set", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "content");
    const { stdout } = await run([`${built}/plain`], {
      env: { LD_PRELOAD: `${built}/shim.so` },
      stdin: `open ${folder}/file 0 ; realpath ${folder}/../${basename(folder)}/file\n`,
    });
    assertEquals(stdout.split("\n").slice(2, 4), [
      '  open = 3 "content"',
      `  realpath = 0 "${folder}/file"`,
    ]);
  }));

/** Sources by name, and whether they compile. */
const SOURCES: Record<string, [string, boolean]> = {
  "plain.c": [
    '#include <stdio.h>\n#include "part.h"\n' +
    'int main(void) { printf("%s %d\\n", __FILE__, PART); return 0; }\n' +
    '#if __has_include("none.h")\n#error\n#endif\n',
    true,
  ],
  "plain.cc": [
    "#include <map>\n#include <string>\nstd::map<std::string, int> &m() {\n" +
    "  static std::map<std::string, int> one{{__FILE__, 1}};\n  return one;\n}\n",
    true,
  ],
  "faulty.c": [
    '#include "part.h"\nint f(void) { int unused; return PART + missing; }\n#include "none.h"\n',
    false,
  ],
};

/** Compiles every source here and below a root, and compares all that comes of it. */
async function compareCompiler(folder: string, cc: string, cxx: string, more: string[]) {
  const root = `${folder}/root`, local = `${folder}/here`, log = `${folder}/log`;
  await Deno.mkdir(local);
  await Deno.mkdir(`${root}${local}`, { recursive: true });
  await Deno.mkdir(`${root}/tmp`, { recursive: true });
  await Deno.writeTextFile(`${local}/part.h`, "#define PART 3\n");
  const libraries: string[] = [];
  const programs = [cc, cxx, ...more];
  for (const program of programs) libraries.push(...await layProgram(root, program));
  for (const [name, [text, compiles]] of Object.entries(SOURCES)) {
    await Deno.writeTextFile(`${local}/${name}`, text);
    await lay(root, `${local}/${name}`);
    if (!compiles) continue;
    const headers = await told(name.endsWith(".c") ? cc : cxx, "-O2", "-M", `${local}/${name}`);
    for (const path of headers.match(/(?<=\s)\/\S+/g) ?? []) await lay(root, path);
  }
  await lay(root, `${local}/part.h`);
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", PWD: local, LANG: "C.UTF-8" };
  for (const [name, [, compiles]] of Object.entries(SOURCES)) {
    const compiler = name.endsWith(".c") ? cc : cxx;
    const flags = ["-Wall", "-O2", "-g", "-MD", "-c", name, "-o", `${name}.o`];
    const wanted = await run(["sh", "-c", 'exec "$0" "$@"', compiler, ...flags], {
      cwd: local,
      env,
    });
    await Deno.writeTextFile(log, "");
    const got = await run([root + compiler, ...flags], {
      cwd: root + local,
      env: {
        ...shimmed(root, libraries.map((path) => root + path)),
        ...env,
        LLAMA_SHIM_ARGV0: compiler,
        LLAMA_SHIM_LOG: log,
      },
    });
    assertEquals(got, wanted, name);
    assertEquals(got.code === 0, compiles, name);
    const outputs = compiles ? [`${name}.o`, `${name}.d`] : [];
    for (const output of outputs) {
      const there = await Deno.readFile(`${root}${local}/${output}`);
      assertEquals(there, await Deno.readFile(`${local}/${output}`), output);
    }
    const records = await readLog(log);
    assertEquals(records.filter((line) => line.startsWith("B")), [], name);
    for (const record of records) {
      assert(!record.includes(root), `${record} holds the root`);
      if (/^[OL]\/usr\//.test(record)) await Deno.lstat(record.slice(1));
    }
    assert(records.some((line) => line.endsWith(name)), "the source is recorded");
  }
}

const gcc = "/usr/bin/gcc",
  gxx = "/usr/bin/g++",
  clang = "/usr/bin/clang",
  clangxx = "/usr/bin/clang++";

Deno.test({
  name: "path shim lets gcc write below a root what it writes here, byte for byte",
  ignore: !canRun(gcc, "--version") || !canRun(gxx, "--version"),
  fn: () =>
    withFolder(async (folder) => {
      const more: string[] = [];
      for (const name of ["cc1", "cc1plus"]) {
        more.push((await told(gxx, `-print-prog-name=${name}`)).trim());
      }
      more.push((await told("sh", "-c", "command -v as")).trim());
      await compareCompiler(folder, gcc, gxx, more);
    }),
});

Deno.test({
  name: "path shim lets clang write below a root what it writes here, byte for byte",
  ignore: !canRun(clang, "--version") || !canRun(clangxx, "--version"),
  fn: () =>
    withFolder(async (folder) => {
      const crt = (await told(clang, "-print-file-name=crtbegin.o")).trim();
      await lay(`${folder}/root`, crt);
      await compareCompiler(folder, clang, clangxx, []);
    }),
});
