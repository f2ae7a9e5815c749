/** The environment that `-env` gives a job. */
import { usageError } from "./flags.ts";

/**
 * Reads `NAME=VALUE`, and `NAME` for the variable of that name in `env`.
 *
 * @throws {LlamaError} With code `Usage`, if a setting has no name or the variable is not set.
 */
export function environmentOf(
  settings: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    const name = equals < 0 ? setting : setting.slice(0, equals);
    const value = equals < 0 ? env[name] : setting.slice(equals + 1);
    if (name === "") throw usageError(`The setting ${JSON.stringify(setting)} has no name`);
    if (value === undefined) throw usageError(`The variable ${name} is not set here`);
    result[name] = value;
  }
  return result;
}
