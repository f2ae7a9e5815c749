import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { putFile, withLibraries } from "./image_fixture.ts";
import { prepareRoot } from "./images.ts";
import { openSeal, type Seal, type SealKind } from "./worker_seal.ts";

// The base system takes a moment to build, and all tests may share it.
const shared = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(shared, { recursive: true }));

const logged: string[] = [];

function openHere(ways: Exclude<SealKind, "no">[], path?: string): Promise<Seal> {
  return openSeal({
    directory: `${shared}/base`,
    log: (line) => logged.push(line),
    ways,
    ...(path === undefined ? {} : { path }),
  });
}

interface Ran {
  code: number;
  out: string;
  err: string;
}

async function run(seal: Seal, script: string, environment = {}): Promise<Ran> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/bootstrap`, `#!/bin/sh\n${script}\n`);
    await Deno.chmod(`${folder}/bootstrap`, 0o755);
    await Deno.chmod(folder, 0o755);
    const command = seal.command({
      code: folder,
      tmpBytes: 1 << 20,
      environment: { PATH: "/usr/local/bin:/usr/bin/:/bin:/opt/bin", ...environment },
      scratch: folder,
    });
    return await ended(command);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function ended({ program, args, environment }: ReturnType<Seal["command"]>): Promise<Ran> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    clearEnv: true,
    env: { ...environment },
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  return { code, out: text.decode(stdout), err: text.decode(stderr) };
}

/** Runs a script in an image with a shell in /x, and nothing else that any seal could use. */
async function runInImage(seal: Seal, script: string, environment = {}): Promise<Ran> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.chmod(folder, 0o755);
    let loader = "";
    for (const file of await withLibraries(["/bin/bash", "/bin/cat", "/bin/id"])) {
      const name = file.slice(file.lastIndexOf("/") + 1);
      await putFile(file, `${folder}/x/${name}`);
      if (/^ld[-.]/.test(name)) loader = `/x/${name}`;
    }
    await Deno.symlink("/etc", `${folder}/dev`);
    await prepareRoot(folder);
    const shell = [loader, "--library-path", "/x", "/x/bash"];
    const command = seal.command({
      code: folder,
      image: { command: [...shell, "-c", script], cwd: "/x" },
      tmpBytes: 1 << 20,
      environment: { PATH: "/usr/bin", run: shell.slice(0, -1).join(" "), ...environment },
      scratch: folder,
    });
    return await ended(command);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const path = Deno.env.get("PATH") ?? "";

/** Whether this machine can seal at all; where it can, openSeal() must. */
async function canSeal(way: SealKind): Promise<boolean> {
  const root = Deno.uid() === 0;
  if (Deno.build.os !== "linux" || (way === "bubblewrap" && root)) return false;
  const [program = "", ...args] = way === "bubblewrap"
    ? ["bwrap", "--unshare-user", "--unshare-pid", "--disable-userns", "--ro-bind", "/", "/"]
    : ["unshare", ...root ? [] : ["--user", "--map-root-user"], "--mount", "--pid", "--fork"];
  try {
    const command = new Deno.Command(program, { args: [...args, "true"], stderr: "null" });
    return (await command.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

for (const way of ["bubblewrap", "unshare"] as const) {
  const seal = await openHere([way], path);
  const able = await canSeal(way);

  (able ? Deno.test : Deno.test.ignore)(`openSeal() seals by ${way} where this machine can`, () => {
    assertEquals(seal.kind, way, logged.join("\n"));
  });

  // The scripts below try to do harm, and must never run in a worker that is not sealed.
  const test = able && seal.kind === way ? Deno.test : Deno.test.ignore;

  test(`a worker sealed by ${way} sees no file of this machine's users and no header`, async () => {
    const { out, err } = await run(
      seal,
      "echo / /* /usr/* /var/*; pwd; cut -d' ' -f2,4 /proc/mounts | cut -d, -f1",
    );
    assertEquals(err, "");
    const [root = "", folder, ...mounts] = out.trim().split("\n");
    assertEquals(folder, "/var/task");
    assertEquals(
      root,
      "/ /bin /dev /etc /lib /lib64 /mnt /opt /proc /sbin /tmp /usr /var " +
        "/usr/bin /usr/lib /usr/lib64 /usr/sbin /var/runtime /var/task",
    );
    for (const line of mounts) {
      const [mount = "", access] = line.split(" ");
      const known =
        /^\/(?:|tmp|var\/task|etc\/resolv\.conf|proc(?:\/.*)?|dev\/(?:null|zero|full|u?random))$/;
      assert(known.test(mount), mount);
      const system = ["/", "/var/task", "/etc/resolv.conf"].includes(mount);
      if (system) assertEquals(access, "ro", mount);
    }
  });

  test(`a worker sealed by ${way} is an unprivileged user and cannot write its system`, async () => {
    const { out, code } = await run(
      seal,
      `id -u; id -g; id -G; grep ^CapEff /proc/self/status
       for path in /usr/x /x /etc/x /var/task/x; do
         (echo other >$path) 2>/dev/null && echo "wrote $path"
       done
       name=$(cat /proc/sys/kernel/hostname)
       (echo $name >/proc/sys/kernel/hostname) 2>/dev/null && echo "wrote the host's name"
       ls /proc | grep -c '^[0-9]'
       ls -l /proc/1/root/ 2>&1 >/dev/null | grep -c denied
       for tool in gcc cc make python3 perl unshare mount; do command -v $tool; done
       exit 7`,
    );
    assertEquals(code, 7);
    const [user, group, groups, capabilities, processes, , ...rest] = out.trim().split("\n");
    assertEquals([user, group, groups], ["1000", "1000", "1000"]);
    assertEquals(capabilities, "CapEff:\t0000000000000000");
    assert(Number(processes) < 10, processes);
    assertEquals(rest, []);
  });

  test(`an image sealed by ${way} is all that its worker sees, and none of its programs is needed`, async () => {
    const { out, err, code } = await runInImage(
      seal,
      `cd / && echo *; cd - >/dev/null; pwd; $run /x/id -u; $run /x/id -G; ulimit -n
       while read -r line; do case $line in CapEff*) echo "$line";; esac; done </proc/self/status
       echo "$A,$LD_BIND_NOW"; echo x >/tmp/x && $run /x/cat /tmp/x; echo y >/dev/null
       for path in /x/x /etc/x /proc/sys/kernel/hostname; do
         (echo other >$path) 2>/dev/null && echo "wrote $path"
       done
       [ -e /proc/1/root/usr ] && echo "saw another root"
       exit 7`,
      { A: "a b", LD_BIND_NOW: "1" },
    );
    assertEquals([err, code], ["", 7]);
    assertEquals(out.split("\n"), [
      ...["dev etc proc tmp x", "/x", "1000", "1000", "1024", "CapEff:\t0000000000000000"],
      ...["a b,1", "x", ""],
    ]);
  });

  test(`a worker sealed by ${way} fills its own /tmp and no more`, async () => {
    const { out, err } = await run(
      seal,
      "head -c 3000000 /dev/zero >/tmp/full; wc -c </tmp/full; rm /tmp/full; echo a >/tmp/b && cat /tmp/b",
    );
    assertStringIncludes(err, "No space left on device");
    assertEquals(out, "1048576\na\n");
  });

  test(`a worker sealed by ${way} finds its whole environment and nothing else`, async () => {
    const environment = { A: "1\n2", LD_LIBRARY_PATH: "/var/task/lib", BASH_ENV: "/nothing" };
    const command = seal.command({ code: "/", tmpBytes: 1, environment, scratch: "/" });
    // These would change the programs that make the seal.
    assertEquals(command.environment, { A: "1\n2" });
    const { out, err } = await run(seal, "ulimit -n; tr '\\0' '|' </proc/$$/environ", environment);
    assertEquals(err, "");
    const [limit, ...rest] = out.split("\n");
    assertEquals(limit, "1024");
    const names = rest.join("\n").split("|").filter((item) => !/^(PWD|SHLVL|OLDPWD|_)=/.test(item));
    assertEquals(names.sort(), [
      "",
      "A=1\n2",
      "BASH_ENV=/nothing",
      "LD_LIBRARY_PATH=/var/task/lib",
      "PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    ]);
  });

  test(`a worker sealed by ${way} ends with the status of its program`, async () => {
    assertEquals((await run(seal, "kill -9 $$")).code, 137);
    assertEquals((await run(seal, "exit 0")).code, 0);
  });
}

Deno.test("openSeal() says why it does not seal and then runs a plain process", async () => {
  logged.length = 0;
  const seal = await openHere(["bubblewrap", "unshare"], "/nowhere");
  assertEquals(seal.kind, "no");
  assertStringIncludes(logged.join("\n"), "Workers are not sealed: bubblewrap: ");
  assertStringIncludes(logged.join("\n"), "; unshare: there is no 'setpriv'");
  const { out, code } = await run(seal, 'echo "$HOME" "$LAMBDA_TASK_ROOT" "$TMPDIR"; exit 3');
  assertEquals(code, 3);
  const [home, task, tmp] = out.trim().split(" ");
  assertEquals([home, task], [tmp, home]);
});
