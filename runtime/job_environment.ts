/** The environment of a rooted job's command. */
import type { JobSpec } from "../job/spec.ts";

/**
 * The job's own environment, with the libraries of the root `root` and, if the job has a path shim,
 * what that needs: its variables, and its `log`.
 */
export function rootedEnvironment(
  { env, rooted }: JobSpec,
  root: string,
  log: string | undefined,
): Record<string, string> {
  const inRoot = (paths: readonly string[]) =>
    paths.map((path) => path.startsWith("/") ? root + path : path);
  const split = (value: string | undefined) => value ? value.split(":") : [];
  const libraries = inRoot([...rooted?.libraryPath ?? [], ...split(env.LD_LIBRARY_PATH)]);
  return {
    ...env,
    ...(libraries.length > 0 && { LD_LIBRARY_PATH: libraries.join(":") }),
    ...(rooted?.shim !== undefined && log !== undefined && {
      LD_PRELOAD: inRoot([rooted.shim, ...split(env.LD_PRELOAD)]).join(":"),
      LLAMA_SHIM_ROOT: root,
      LLAMA_SHIM_LOG: log,
      // Libc itself opens these, past the shim; the worker's own must never decide, but an image's does.
      TZDIR: inRoot([env.TZDIR ?? "/usr/share/zoneinfo"]).join(),
      ...(rooted.image ? { LLAMA_SHIM_IMAGE: "1" } : {
        LOCPATH: inRoot(split(env.LOCPATH ?? "/usr/lib/locale")).join(":"),
        GCONV_PATH: inRoot(
          env.GCONV_PATH === undefined
            ? rooted.libraryPath.map((path) => `${path}/gconv`)
            : split(env.GCONV_PATH),
        ).join(":"),
      }),
    }),
  };
}
