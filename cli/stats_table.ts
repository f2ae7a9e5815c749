/**
 * `llama daemon -stats` as a table. What is zero is left out, but for the first lines; reasons stand
 * below what they are the reasons of, the most frequent one first.
 */
import { explainReason } from "../cc/reasons.ts";
import { asArray, asInteger, asNumber, asObject, asString, type Json } from "../job/json.ts";

/** A line: a name, a value, and what there is to say of the value. */
type Row = readonly [name: string, value: string, remark?: string];

/** The daemon's answer as a table. */
export function statsTable(answer: unknown): string {
  const json = asObject(answer, WHAT);
  const rows = [
    ...compilations(json),
    ...jobs(json),
    ...requests(json),
    ...checks(json),
    ...process(json),
  ];
  const nameWidth = Math.max(...rows.map(([name]) => name.length)) + 2;
  const valueWidth = Math.max(...rows.map(([, value]) => value.length));
  const title = json.build === undefined ? [] : [`Build ${asString(json.build, WHAT)}`];
  const lines = rows.map(([name, value, remark = ""]) =>
    `${name.padEnd(nameWidth)}${value.padStart(valueWidth)}  ${remark}`.trimEnd()
  );
  return [...title, ...lines].join("\n");
}

const WHAT = "the daemon's statistics";

function integer(json: Json, name: string): number {
  return asInteger(json[name], `${WHAT}: ${name}`);
}

function number(json: Json, name: string): number {
  return asNumber(json[name], `${WHAT}: ${name}`);
}

function reasonsOf(json: Json, name: string): (readonly [string, number])[] {
  const reasons = asObject(json[name], `${WHAT}: ${name}`);
  return Object.keys(reasons).map((reason) => [reason, integer(reasons, reason)] as const)
    .toSorted(([a, ofA], [b, ofB]) => ofB - ofA || (a < b ? -1 : 1));
}

function sum(reasons: readonly (readonly [string, number])[]): number {
  return reasons.reduce((total, [, count]) => total + count, 0);
}

function below(
  reasons: readonly (readonly [string, number])[],
  indent: string,
  remarkOn: (reason: string) => string = () => "",
): Row[] {
  return reasons.map(([reason, count]) => [
    `${indent}${reason}`,
    plain(count),
    remarkOn(reason),
  ]);
}

function compilations(json: Json): Row[] {
  const remote = integer(json, "remote");
  const local = reasonsOf(json, "local");
  const fallback = reasonsOf(json, "fallback");
  const all = remote + sum(local) + sum(fallback);
  return [
    ["Commands", plain(all)],
    ["  compiled elsewhere", plain(remote), percent(remote, all)],
    ["  here by choice", plain(sum(local)), percent(sum(local), all)],
    ...below(local, "    ", explainReason),
    ["  here after all", plain(sum(fallback)), percent(sum(fallback), all)],
    ...below(fallback, "    "),
  ];
}

function jobs(json: Json): Row[] {
  const remote = integer(json, "remote");
  const rounds = integer(json, "rounds");
  const invocations = integer(json, "invocations");
  const cold = integer(json, "coldStarts");
  const voids = reasonsOf(json, "voids");
  const reruns = reasonsOf(json, "reruns");
  const inputs = integer(json, "inputs");
  const each = remote > 0 ? `${(rounds / remote).toFixed(2)} for each one elsewhere` : "";
  return [
    ...someRows(["Jobs", rounds, each]),
    ...someRows(["  void", sum(voids), percent(sum(voids), rounds)]),
    ...below(voids, "    "),
    ...someRows(["Invocations", invocations]),
    ...someRows(["  of a cold worker", cold, percent(cold, invocations)]),
    ...someRows(["  again elsewhere", sum(reruns)]),
    ...below(reruns, "    "),
    ...someRows(["Includes listed here", integer(json, "listed")]),
    ...someRows(["Inputs", inputs, `${percent(integer(json, "inputsUsed"), inputs)} were read`]),
  ];
}

function requests(json: Json): Row[] {
  const all = integer(json, "requests");
  if (all === 0) return [];
  const retries = integer(json, "retries");
  const outputBytes = integer(json, "outputBytes");
  return [
    ["Requests to AWS", plain(all)],
    ...someRows(["  to S3, writing", integer(json, "s3Puts")]),
    ...someRows(["  to S3, reading", integer(json, "s3Gets")]),
    ...someRows(["  sent again", retries, percent(retries, all)]),
    ...someRows(["    throttled", integer(json, "throttles")]),
    ["Sent", bytes(integer(json, "bytesSent"))],
    ["Received", bytes(integer(json, "bytesReceived"))],
    ...(outputBytes > 0 ? [["Outputs", bytes(outputBytes)] as const] : []),
    ["Time of compilers elsewhere", seconds(number(json, "remoteMs"))],
    ["Cost", dollars(number(json, "costUsd")), "about"],
  ];
}

function checks(json: Json): Row[] {
  const verified = reasonsOf(json, "verified");
  const waits = integer(json, "slotWaits");
  return [
    ...someRows(["Verified", sum(verified)]),
    ...below(verified, "  "),
    ...someRows(["Waits for a core", waits, `${seconds(number(json, "slotWaitMs"))} in all`]),
  ];
}

function process(json: Json): Row[] {
  const server = asObject(json.server, `${WHAT}: server`);
  const slots = asObject(json.slots, `${WHAT}: slots`);
  const names = json.builds === undefined ? [] : asArray(json.builds, `${WHAT}: builds`);
  const dropped = json.droppedBuilds === undefined ? 0 : integer(json, "droppedBuilds");
  const newest = names.slice(-3).map((name) => asString(name, `${WHAT}: builds`)).reverse();
  const more = names.length > newest.length ? ", …" : "";
  const inUse = `${integer(slots, "busy")} in use, ${integer(slots, "waiting")} in line`;
  return [
    ...someRows(["Builds", names.length, `${newest.join(", ")}${more}`]),
    ...someRows(["  dropped for newer ones", dropped]),
    ["Cores", plain(integer(slots, "size")), inUse],
    ["Memory of the daemon", bytes(integer(json, "memoryBytes"))],
    ["Running for", seconds(number(server, "uptimeMs"))],
  ];
}

function someRows([name, count, remark]: readonly [string, number, string?]): Row[] {
  return count === 0 ? [] : [[name, plain(count), remark ?? ""]];
}

function plain(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "" : `${(100 * part / whole).toFixed(1).padStart(5)} %`;
}

function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let size = count / 1000;
  while (size >= 999.95 && units.length > 1) {
    size /= 1000;
    units.shift();
  }
  return `${size.toFixed(1)} ${units[0]}`;
}

function dollars(usd: number): string {
  return `$${usd.toFixed(usd < 0.01 ? 6 : 4)}`;
}

function seconds(ms: number): string {
  return `${plain(Math.floor(ms / 1000))}.${Math.floor(ms / 100) % 10} s`;
}
