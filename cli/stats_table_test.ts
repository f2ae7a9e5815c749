import { REASONS } from "../cc/reasons.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { createStats } from "../daemon/stats.ts";
import { statsTable } from "./stats_table.ts";

const PROCESS = {
  costUsd: 0,
  builds: [],
  droppedBuilds: 0,
  slots: { size: 2, busy: 0, waiting: 0, granted: 0, longestLine: 0 },
  server: { connections: 1, accepted: 1, compiling: 0, uptimeMs: 61_250 },
  memoryBytes: 80_000_000,
};

Deno.test("statsTable() of a daemon that has done nothing is short", () => {
  assertEquals(
    statsTable({ ...createStats().current, ...PROCESS }),
    `Commands                    0
  compiled elsewhere        0
  here by choice            0
  here after all            0
Cores                       2  0 in use, 0 in line
Memory of the daemon  80.0 MB
Running for            61.2 s`,
  );
});

Deno.test("statsTable() sorts reasons by their count, and gives parts in percent", () => {
  const stats = {
    ...createStats().current,
    remote: 1100,
    local: { link: 30, assembler: 40, language: 30 },
    fallback: { TooManyRounds: 1 },
    rounds: 1210,
    inputs: 250_000,
    inputsUsed: 175_000,
    voids: { absent: 110 },
    reruns: { TimedOut: 1 },
    invocations: 1300,
    coldStarts: 13,
    remoteMs: 1_234_567,
    requests: 1500,
    retries: 15,
    throttles: 5,
    s3Puts: 3,
    bytesSent: 12_345_678,
    bytesReceived: 999_960,
    outputBytes: 500,
    verified: { same: 9, different: 1 },
    slotWaits: 4,
    slotWaitMs: 1900,
  };
  const builds = ["a", "b", "c", "d"];
  assertEquals(
    statsTable({ ...stats, ...PROCESS, builds, droppedBuilds: 7, costUsd: 0.12345 }),
    `Commands                         1,201
  compiled elsewhere             1,100   91.6 %
  here by choice                   100    8.3 %
    assembler                       40  ${REASONS.assembler}
    language                        30  ${REASONS.language}
    link                            30  ${REASONS.link}
  here after all                     1    0.1 %
    TooManyRounds                    1
Jobs                             1,210  1.10 for each one elsewhere
  void                             110    9.1 %
    absent                         110
Invocations                      1,300
  of a cold worker                  13    1.0 %
  again elsewhere                    1
    TimedOut                         1
Inputs                         250,000   70.0 % were read
Requests to AWS                  1,500
  to S3, writing                     3
  sent again                        15    1.0 %
    throttled                        5
Sent                           12.3 MB
Received                        1.0 MB
Outputs                          500 B
Time of compilers elsewhere  1,234.5 s
Cost                           $0.1235  about
Verified                            10
  same                               9
  different                          1
Waits for a core                     4  1.9 s in all
Builds                               4  d, c, b, …
  dropped for newer ones             7
Cores                                2  0 in use, 0 in line
Memory of the daemon           80.0 MB
Running for                     61.2 s`,
  );
});

Deno.test("statsTable() names the build that it is about", () => {
  const { builds: _, droppedBuilds: __, ...process } = PROCESS;
  const table = statsTable({ build: "nightly", ...createStats().current, ...process });
  assertEquals(table.split("\n")[0], "Build nightly");
});

Deno.test("statsTable() refuses what is no answer of this version's daemon", () => {
  assertThrows(() => statsTable({ pid: 1 }), FormatError, "the daemon's statistics: remote");
});
