/** What `llama help` prints. */
import { COMMANDS } from "./commands.ts";

const HELP_HEAD = `llama runs UNIX commands in AWS Lambda, or in a cloud on this machine.

usage: llama [global flags] COMMAND [flags] [arguments]

commands:
`;

const HELP_TAIL = `
global flags:
  -region R             AWS region
  -profile P            profile of ~/.aws/config and ~/.aws/credentials
  -endpoint-url U       send all AWS requests to U
  -store s3://B/PREFIX  use this object store
  -s3-concurrency N     S3 requests at the same time (8)
  -debug-aws            print each AWS request and answer, secrets masked
  -json                 print exactly one JSON value
  -quiet                print results and errors only
  -h, -help             say how it is used
  -v, -version          print the version

"llama help COMMAND" says more. A flag takes one dash or two, and -x=v or -x v.
LLAMA_DIR (~/.llama) holds settings, the daemon's socket and caches.

exit status: 0 done, 1 failed, 2 wrong call, 130 interrupted
  invoke: that of the command, 128+N if signal N ended it

examples:
  llama bootstrap
  llama invoke -f README.md:INPUT -o OUTPUT llama sh -c 'wc INPUT > OUTPUT'
`;

/** The help of `llama` itself: all commands, the global flags and two examples, in 80 columns. */
export function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length)) + 2;
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}\n`);
  return HELP_HEAD + lines.join("") + HELP_TAIL;
}
