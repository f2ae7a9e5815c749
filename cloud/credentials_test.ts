import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { type Keys, loadKeys, openCredentials } from "./credentials.ts";
import { SignatureError } from "./signature.ts";

const KEYS: Keys = { accessKeyId: "LKIAROOT", secretAccessKey: "root", tokenSecret: "token" };
const ROLE = "arn:aws:iam::000000000000:role/path/worker";

function problemOf(act: () => unknown): string {
  const error = assertThrows(act, SignatureError);
  return error instanceof SignatureError ? error.problem : "";
}

Deno.test("find() knows root and the sessions of roles, also after a restart", () => {
  const before = openCredentials(KEYS, "000000000000", () => 0);
  const session = before.issueRoleCredentials(ROLE, 60);
  const after = openCredentials(KEYS, "000000000000", () => 59_999);
  const holder = after.find(session.accessKeyId, session.sessionToken);
  assertEquals(holder.secretAccessKey, session.secretAccessKey);
  assertEquals(holder.principal.roleName, "worker");
  assertEquals(holder.principal.root, false);
  assertEquals(after.find("LKIAROOT", undefined).principal.root, true);
  assertNotEquals(before.issueRoleCredentials(ROLE, 60), session);
});

Deno.test("find() refuses what it did not give out", () => {
  const { find, issueRoleCredentials } = openCredentials(KEYS, "000000000000", () => 0);
  const session = issueRoleCredentials(ROLE, 60);
  const other = issueRoleCredentials(ROLE, 60);
  const late = openCredentials(KEYS, "000000000000", () => 60_000);
  const stranger = openCredentials({ ...KEYS, tokenSecret: "x" }, "000000000000", () => 0);
  const { accessKeyId: id, sessionToken: token } = session;
  const [body = "", mac = ""] = token.split(".");
  const forged = new TextEncoder().encode(
    JSON.stringify({ role: "admin", key: id, expiresMs: 1e15 }),
  ).toBase64();
  assertEquals(problemOf(() => find("LKIANOBODY", undefined)), "unknownKey");
  assertEquals(problemOf(() => find(id, undefined)), "unknownKey");
  assertEquals(problemOf(() => find(other.accessKeyId, token)), "unknownKey");
  assertEquals(problemOf(() => find("LKIAROOT", token)), "badToken");
  assertEquals(problemOf(() => find(id, `${forged}.${mac}`)), "badToken");
  assertEquals(problemOf(() => find(id, body)), "badToken");
  assertEquals(problemOf(() => stranger.find(id, token)), "badToken");
  assertEquals(problemOf(() => late.find(id, token)), "expiredToken");
});

Deno.test("loadKeys() makes keys once", async () => {
  const directory = await Deno.makeTempDir();
  const first = await loadKeys(`${directory}/keys.json`);
  assertEquals(await loadKeys(`${directory}/keys.json`), first);
  assertNotEquals(await loadKeys(`${directory}/other.json`), first);
  await Deno.remove(directory, { recursive: true });
});
