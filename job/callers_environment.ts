/** The environment that a process was given, without what Deno has put into it for the processes that it starts. */

/** Holds a `node` that is Deno itself, in front of PATH where that has none: no command means that one. */
const OWN_FOLDER = "/node_compat_bin";

/** `env` as the caller of this process has it. */
export function callersEnvironment(
  env: Readonly<Record<string, string>>,
): Record<string, string> {
  const { PATH } = env;
  if (PATH === undefined) return { ...env };
  return {
    ...env,
    PATH: PATH.split(":").filter((folder) => !folder.endsWith(OWN_FOLDER)).join(":"),
  };
}
