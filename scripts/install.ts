/** `deno task install [DIR]` links the executables of bin/ into a folder, `~/.local/bin` unless given. */
import { resolve } from "@std/path/posix";
import { projectRoot } from "./config.ts";

async function install(args: readonly string[], env: (name: string) => string | undefined) {
  const home = env("HOME");
  // `deno task` runs in the project's root, whichever folder it was called from.
  const from = env("INIT_CWD") ?? Deno.cwd();
  const folder = args[0] !== undefined
    ? resolve(from, args[0])
    : home
    ? `${home}/.local/bin`
    : undefined;
  if (folder === undefined) {
    throw new Error("Cannot install as there is no home folder: name the folder to install into");
  }
  await Deno.mkdir(folder, { recursive: true });
  for (const name of ["llama", "llamacc", "llamac++"]) {
    await link(`${projectRoot.pathname}bin/${name}`, `${folder}/${name}`);
  }
  await say(`Linked llama, llamacc and llamac++ into ${folder}`);
  if (!(env("PATH") ?? "").split(":").includes(folder)) {
    await say(`It is not on your PATH; add this to your shell's profile:`);
    await say(`  export PATH="${folder}:$PATH"`);
  }
}

/** Puts a link to `target` at `path`; a file there that is not a link is somebody else's. */
async function link(target: string, path: string): Promise<void> {
  try {
    if (!(await Deno.lstat(path)).isSymlink) {
      throw new Error(`Cannot install as "${path}" exists and is no link: remove it first`);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const temporary = `${path}.${Deno.pid}.tmp`;
  await Deno.symlink(target, temporary);
  await Deno.rename(temporary, path);
}

async function say(line: string): Promise<void> {
  await Deno.stderr.write(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) {
  try {
    await install(Deno.args, (name) => Deno.env.get(name));
  } catch (error) {
    await say(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
