/**
 * What a worker sees of this machine: what it would see in Lambda.
 *
 * A sealed worker has the base system (base_system.ts) as a read-only root, its code at /var/task, a
 * /tmp of its own that ends where EphemeralStorage ends, a /proc of its own and five devices. It is
 * user 1000 without a capability and cannot get one: no program there is set-id (and the mounts are
 * nosuid). The network stays, as a worker calls the cloud on the loopback.
 *
 * Three ways are tried in order, each once with a real worker's program:
 *
 * 1. `bubblewrap`, unless this is root. It does all of this itself, in a user namespace. For root
 *    that would not do: uid 1000 in root's user namespace is still the kernel's uid 0, which may
 *    write half of /proc/sys without a capability (tried: it can).
 * 2. `unshare` of util-linux, in a user namespace, or as root without one and with a change to the
 *    real user 1000. A script mounts, then changes the root by pivot_root, so that the old one is
 *    gone from the namespace and not only out of sight. What lowers the worker then must come from the old root (unshare, held open as a descriptor)
 *    or be in the base system (chroot of coreutils).
 * 3. Nothing: a plain process with a clean environment and a folder of its own.
 *
 * A function's image takes the place of the base system. None of its programs makes the seal, as they may
 * be anything: the image stands where the code would in the base system, and a chroot into it is the
 * last that happens before its command.
 *
 * A worker in Lambda has 1,024 descriptors and 742 processes and threads. The first is a limit of each
 * process (RLIMIT_NOFILE) and set here. The second is not: RLIMIT_NPROC counts all processes of a user,
 * on this machine those of all workers and of the user at the desk together, so that one worker's
 * would make the forks of others fail.
 *
 * In both sealed ways process 1 of the worker's pid namespace only waits and reaps. When it dies the
 * kernel kills every process of the worker, and it dies with the process that was spawned, which
 * dies with the cloud (PR_SET_PDEATHSIG in each case): so one SIGKILL ends a whole worker, and a
 * SIGKILL of the cloud ends all of them.
 */
import { messageOf } from "../job/errors.ts";
import { openBaseSystem } from "./base_system.ts";

/** How workers are sealed: the program that does it, or "no". */
export type SealKind = "bubblewrap" | "unshare" | "no";

/** How a worker runs in an image. */
export interface SealedImage {
  /** The command, the first word a path or a name in PATH. */
  readonly command: readonly string[];
  /** Absolute path of the working folder in the image. */
  readonly cwd: string;
}

/** A worker to be sealed. */
export interface SealedWorker {
  /** Folder of the unpacked code, or of the file system of the image. */
  readonly code: string;
  /** Present if it runs in an image and not over the base system. */
  readonly image?: SealedImage;
  /** Size of its /tmp in bytes. */
  readonly tmpBytes: number;
  /** What it shall find in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Program in the folder of the code, `bootstrap` unless given. */
  readonly program?: string;
  /** Arguments of the program, none unless given. */
  readonly args?: readonly string[];
  /** An empty folder that is the worker's alone; used where the worker is not sealed. */
  readonly scratch: string;
}

/** A command that runs a worker. */
export interface SealedCommand {
  /** Path of the program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Working folder, where it matters. */
  readonly cwd?: string;
}

/** A way to run workers. */
export interface Seal {
  /** How workers are sealed. */
  readonly kind: SealKind;
  /**
   * The command that runs `worker`; killing its process kills the worker if it is sealed. A seal of the
   * kind "no" runs no image.
   */
  command(worker: SealedWorker): SealedCommand;
}

/** What {@linkcode openSeal} needs. */
export interface SealOptions {
  /** Folder for base systems. */
  readonly directory: string;
  /** Writes one line to the cloud's log. */
  readonly log: (line: string) => void;
  /** Ways to try in this order: bubblewrap, then unshare, unless given. */
  readonly ways?: readonly Exclude<SealKind, "no">[];
  /** Where programs are looked for, colon-separated: the system's own folders unless given. */
  readonly path?: string;
}

const SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEVICES = ["null", "zero", "full", "random", "urandom"];
const PROBE_TIMEOUT_MS = 10_000;

/** Finds the best way to run workers on this machine and tries it. */
export async function openSeal(options: SealOptions): Promise<Seal> {
  const path = options.path ?? SYSTEM_PATH;
  const plain: Seal = {
    kind: "no",
    command: (worker) => plainCommand(worker, find("setpriv", path)),
  };
  if (Deno.build.os !== "linux") return plain;
  const ways = options.ways ?? ["bubblewrap", "unshare"];
  if (ways.length === 0) return plain;
  let base: string;
  try {
    base = await openBaseSystem(options.directory);
  } catch (error) {
    options.log(`Workers are not sealed: ${messageOf(error)}`);
    return plain;
  }
  const problems: string[] = [];
  for (const kind of ways) {
    const seal = kind === "bubblewrap" ? bubblewrapSeal(base, path) : unshareSeal(base, path);
    const problem = typeof seal === "string" ? seal : await trial(seal);
    if (problem === undefined && typeof seal !== "string") return seal;
    problems.push(`${kind}: ${problem}`);
  }
  options.log(`Workers are not sealed: ${problems.join("; ")}`);
  return plain;
}

function find(program: string, path: string): string | undefined {
  for (const folder of path.split(":")) {
    try {
      const { isFile, mode } = Deno.statSync(`${folder}/${program}`);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return `${folder}/${program}`;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
        continue;
      }
      throw error;
    }
  }
  return undefined;
}

// 1,024 descriptors is what a worker in Lambda has. That this shell stays makes it the reaper.
const INIT = 'ulimit -n 1024; "$@" & wait $!; exit $?';

/** Variables that would change the programs that make the seal, and so are set inside of it. */
const EARLY = /^(LD_|BASH|GLIBC_|MALLOC_|LIBMOUNT_|ENV$|IFS$|PS4$|SHELLOPTS$|GCONV_PATH$|LOCPATH$)/;

/** What stands in the environment from the start, and the rest: as variables of an image, else as a command. */
function splitEnvironment(worker: SealedWorker): [Record<string, string>, string[]] {
  const outside: Record<string, string> = {};
  const inside: string[] = [];
  for (const [name, value] of Object.entries(worker.environment)) {
    if (EARLY.test(name)) inside.push(`${name}=${value}`);
    else outside[name] = value;
  }
  if (worker.image) return [outside, inside];
  const program = `/var/task/${worker.program ?? "bootstrap"}`;
  const command = [program, ...worker.args ?? []];
  return [outside, inside.length === 0 ? command : ["/usr/bin/env", ...inside, ...command]];
}

function bubblewrapSeal(base: string, path: string): Seal | string {
  if (Deno.uid() === 0) return "it would leave root's workers the kernel's uid 0";
  const program = find("bwrap", path);
  if (program === undefined) return "there is no 'bwrap'";
  return {
    kind: "bubblewrap",
    command(worker) {
      const { code, image } = worker;
      const [environment, inside] = splitEnvironment(worker);
      const args = [
        ["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"],
        ["--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--disable-userns"],
        ["--die-with-parent", "--new-session", "--hostname", "localhost"],
        image ? ["--ro-bind", code, "/"] : ["--ro-bind", base, "/", "--ro-bind", code, "/var/task"],
        ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"],
        ["--perms", "1777", "--size", String(worker.tmpBytes), "--tmpfs", "/tmp"],
        ["--proc", "/proc"],
        ...DEVICES.map((name) => ["--dev-bind", `/dev/${name}`, `/dev/${name}`]),
      ].flat();
      if (!image) {
        args.push("--chdir", "/var/task", "--", "/usr/bin/bash", "-c", INIT, "init", ...inside);
        return { program, args, environment };
      }
      for (const variable of inside) {
        const at = variable.indexOf("=");
        args.push("--setenv", variable.slice(0, at), variable.slice(at + 1));
      }
      args.push("--chdir", image.cwd, "--", ...image.command);
      return {
        program: "/bin/sh",
        args: ["-c", 'ulimit -n 1024; exec "$0" "$@"', program, ...args],
        environment,
      };
    },
  };
}

/**
 * Arguments: base system, code, bytes of /tmp, folder of the worker's root below the base system, path of
 * unshare or "", whether it is for a user namespace, then the command that lowers the worker and runs it.
 */
const SETUP = `
set -eu
base=$1 code=$2 size=$3 root=$1$4 unshare=$5 user=$6 path=$PATH
shift 6
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount --bind "$base" "$base"
mount -o remount,bind,ro,nosuid,nodev "$base"
mount --bind "$code" "$base/var/task"
mount -o remount,bind,ro,nosuid,nodev "$base/var/task"
if [ -f /etc/resolv.conf ]; then
  mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
  mount -o remount,bind,ro,nosuid,nodev "$root/etc/resolv.conf"
fi
mount -t tmpfs -o "size=$size,mode=1777,nosuid,nodev" tmpfs "$root/tmp"
mount -t proc -o nosuid,nodev,noexec proc "$base/proc"
[ "$root" = "$base" ] || mount --bind "$base/proc" "$root/proc"
for device in ${DEVICES.join(" ")}; do
  mount --bind "/dev/$device" "$root/dev/$device"
done
cd "$base"
[ -z "$unshare" ] || exec 9<"$unshare"
pivot_root . mnt
chroot /mnt umount -l /
cd /var/task
[ "$user" = false ] || echo 1 >/proc/sys/user/max_user_namespaces
ulimit -n 1024
export PATH="$path"
exec /usr/bin/bash -c '"$@" 9<&- & wait $!; exit $?' init "$@"
`;

/** The program that lowers a worker, where the base system's own cannot: unshare, held open. */
const HELD = "/proc/1/fd/9";

function unshareSeal(base: string, path: string): Seal | string {
  const program = find("setpriv", path);
  const unshare = find("unshare", path);
  if (program === undefined) return "there is no 'setpriv'";
  if (unshare === undefined) return "there is no 'unshare'";
  const isRoot = Deno.uid() === 0;
  const lowered = isRoot
    ? ["--setgid=1000", "--setuid=1000"]
    : ["--user", "--map-user=1000", "--map-group=1000"];
  return {
    kind: "unshare",
    command(worker) {
      const { code, image, tmpBytes } = worker;
      const [environment, inside] = splitEnvironment(worker);
      const command = image
        ? [
          ...["/usr/bin/env", ...inside, HELD, ...lowered],
          ...["--root=/var/task", `--wd=${image.cwd}`, "--", ...image.command],
        ]
        : isRoot
        ? ["/usr/sbin/chroot", "--skip-chdir", "--userspec=1000:1000", "/", ...inside]
        : [HELD, ...lowered, "--", ...inside];
      const held = image || !isRoot ? unshare : "";
      const args = [
        ["--pdeathsig", "KILL", unshare, ...isRoot ? [] : ["--user", "--map-root-user"]],
        ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"],
        ["/bin/sh", "-c", SETUP, "seal", base, code, String(tmpBytes)],
        [image ? "/var/task" : "", held, String(!isRoot), ...command],
      ].flat();
      return { program, args, environment };
    },
  };
}

function plainCommand(worker: SealedWorker, setpriv: string | undefined): SealedCommand {
  if (worker.image) throw new TypeError("A worker that is not sealed cannot run in an image");
  const program = `${worker.code}/${worker.program ?? "bootstrap"}`;
  const command = [program, ...worker.args ?? []];
  const environment = {
    ...worker.environment,
    LAMBDA_TASK_ROOT: worker.code,
    HOME: worker.scratch,
    TMPDIR: worker.scratch,
  };
  const [first, ...args] = setpriv === undefined
    ? command
    : [setpriv, "--pdeathsig", "KILL", ...command];
  return { program: first ?? program, args, environment, cwd: worker.code };
}

/** What the trial asks of the inside; it must hold of every sealed worker. */
const TRIAL = `
[ "$(id -u)" = 1000 ] && [ "$(cat /var/task/proof)" = here ] && echo x >/tmp/x &&
[ ! -e /usr/include ] && ! (echo x >/usr/x) 2>/dev/null && [ -z "$(ls /mnt)" ] &&
grep -q '^CapEff:[[:space:]]*0*$' /proc/self/status && echo sealed
`;

/** Runs a worker's program in the seal; the text says what went wrong. */
async function trial(seal: Seal): Promise<string | undefined> {
  const code = await Deno.makeTempDir({ prefix: "llama-seal-" });
  try {
    await Deno.writeTextFile(`${code}/proof`, "here");
    await Deno.writeTextFile(`${code}/bootstrap`, `#!/usr/bin/bash\n${TRIAL}`);
    await Deno.chmod(`${code}/bootstrap`, 0o755);
    // The cloud's own mask lets nobody else read what it makes.
    await Deno.chmod(`${code}/proof`, 0o644);
    await Deno.chmod(code, 0o755);
    const environment = { PATH: "/usr/bin:/usr/sbin" };
    const command = seal.command({ code, tmpBytes: 1 << 20, environment, scratch: code });
    const output = await new Deno.Command(command.program, {
      args: [...command.args],
      clearEnv: true,
      env: { ...command.environment },
      stdin: "null",
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    }).output();
    const text = new TextDecoder();
    if (output.success && text.decode(output.stdout) === "sealed\n") return undefined;
    return text.decode(output.stderr).trim() || `its trial ended with status ${output.code}`;
  } catch (error) {
    return messageOf(error);
  } finally {
    await Deno.remove(code, { recursive: true });
  }
}
