/** `llama version`. */
import manifest from "../deno.json" with { type: "json" };
import type { Command } from "./command.ts";

const USAGE = `print the version of llama, and of the Deno that runs it

usage: llama version [-json]

examples:
  llama version
  llama -version
`;

/** Prints the version. */
export const version: Command = {
  usage: USAGE,
  flags: [],
  run: async ({ output }) => {
    const value = {
      version: manifest.version,
      deno: Deno.version.deno,
      target: Deno.build.target,
    };
    await output.result(
      value,
      `llama ${value.version} (deno ${value.deno}, ${value.target})`,
    );
    return 0;
  },
};
