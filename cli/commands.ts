/** The commands of `llama`, in the order in which its help names them. */
import type { CommandEntry } from "./command.ts";
import type { Flag } from "./flags.ts";

/** Flags of every command; they may stand before its name as well. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  { name: "region", kind: "value", takes: "R" },
  { name: "store", kind: "value", takes: "s3://B/PREFIX" },
  { name: "profile", kind: "value", takes: "P" },
  { name: "endpoint-url", kind: "value", takes: "U" },
  { name: "debug-aws", kind: "switch" },
  { name: "s3-concurrency", kind: "integer", takes: "N", min: 1, max: 1000 },
  { name: "json", kind: "switch" },
  { name: "quiet", kind: "switch" },
  { name: "help", kind: "switch", aliases: ["h"] },
];

/** Stands before a command only, or instead of one. */
export const VERSION_FLAG: Flag = { name: "version", kind: "switch", aliases: ["v"] };

/** Each command with what it is for. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: "bootstrap",
    summary: "make or update everything that llama needs",
    load: async () => (await import("./bootstrap.ts")).bootstrap,
  },
  {
    name: "config",
    summary: "print the settings in force and where they come from",
    load: async () => (await import("./config.ts")).config,
  },
  {
    name: "invoke",
    summary: "run one command in a function",
    load: async () => (await import("./invoke.ts")).invoke,
  },
  {
    name: "result",
    summary: "print what became of a job that llama invoke -detach began",
    load: async () => (await import("./result.ts")).result,
  },
  {
    name: "xargs",
    summary: "run a command in a function for each line of input",
    load: async () => (await import("./xargs.ts")).xargs,
  },
  {
    name: "run",
    summary: "run a local command in a function, with nothing declared",
    load: async () => (await import("./run.ts")).run,
  },
  {
    name: "daemon",
    summary: "start, stop and ask the local daemon",
    load: async () => (await import("./daemon.ts")).daemon,
  },
  {
    name: "toolchain",
    summary: "list, explain and add the compilers that run elsewhere",
    load: async () => (await import("./toolchain.ts")).toolchain,
  },
  {
    name: "cloud",
    summary: "start, stop and look at the embedded cloud",
    load: async () => (await import("./cloud.ts")).cloud,
  },
  {
    name: "store",
    summary: "put files into the object store",
    load: async () => (await import("./store.ts")).store,
  },
  {
    name: "get",
    summary: "get an object from the object store",
    load: async () => (await import("./get.ts")).get,
  },
  {
    name: "multiget",
    summary: "get many objects from the object store at once",
    load: async () => (await import("./multiget.ts")).multiget,
  },
  {
    name: "destroy",
    summary: "remove all that bootstrap made",
    load: async () => (await import("./destroy.ts")).destroy,
  },
  {
    name: "completions",
    summary: "print a script that lets a shell complete command lines",
    load: async () => (await import("./completions.ts")).completions,
  },
  {
    name: "version",
    summary: "print the version of llama, and of the Deno that runs it",
    load: async () => (await import("./version.ts")).version,
  },
];
