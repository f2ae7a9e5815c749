import { assertEquals } from "@std/assert";
import { evaluate, like, parsePolicy } from "./policy.ts";

function allows(statements: unknown[], action: string, resource: string, context = {}): boolean {
  const parsed = parsePolicy({ Statement: statements }, "policy");
  return evaluate(parsed, { action, resource, context });
}

Deno.test("like() knows * and ?, and does not run away", () => {
  const cases: [text: string, pattern: string, expected: boolean][] = [
    ["", "", true],
    ["", "*", true],
    ["a", "", false],
    ["abc", "a*", true],
    ["abc", "*c", true],
    ["abc", "a?c", true],
    ["ac", "a?c", false],
    ["aXbXc", "a*b*c", true],
    ["aXbX", "a*b*c", false],
    ["a.c", "a.c", true],
    ["abc", "a.c", false],
    ["*", "?", true],
    ["a".repeat(5000), `${"*a".repeat(50)}b`, false],
  ];
  for (const [text, pattern, expected] of cases) {
    assertEquals([text, pattern, like(text, pattern)], [text, pattern, expected]);
  }
});

Deno.test("evaluate() needs one statement that allows and none that denies", () => {
  const allow = { Effect: "Allow", Action: "s3:Get*", Resource: "arn:aws:s3:::b/*" };
  const deny = { Effect: "Deny", Action: ["s3:*"], Resource: "arn:aws:s3:::b/secret" };
  assertEquals(allows([], "s3:GetObject", "arn:aws:s3:::b/k"), false);
  assertEquals(allows([allow], "s3:GetObject", "arn:aws:s3:::b/k"), true);
  assertEquals(allows([allow], "S3:getobject", "arn:aws:s3:::b/k"), true);
  assertEquals(allows([allow], "s3:PutObject", "arn:aws:s3:::b/k"), false);
  assertEquals(allows([allow], "s3:GetObject", "arn:aws:s3:::B/k"), false);
  assertEquals(allows([allow, deny], "s3:GetObject", "arn:aws:s3:::b/secret"), false);
  assertEquals(allows([allow, deny], "s3:GetObject", "arn:aws:s3:::b/other"), true);
  const except = { Effect: "Allow", NotAction: "s3:Delete*", Resource: "*" };
  assertEquals(allows([except], "s3:GetObject", "x"), true);
  assertEquals(allows([except], "s3:DeleteObject", "x"), false);
});

Deno.test("evaluate() heeds conditions, and those it does not know never allow", () => {
  const list = (Effect: string, Condition: Record<string, unknown>) => [
    ...Effect === "Deny" ? [{ Effect: "Allow", Action: "*", Resource: "*" }] : [],
    { Effect, Action: "s3:ListBucket", Resource: "*", Condition },
  ];
  const prefix = { StringLike: { "s3:prefix": ["obj/*", "x"] } };
  const ask = (statements: unknown[], context = {}) =>
    allows(statements, "s3:ListBucket", "b", context);
  assertEquals(ask(list("Allow", prefix), { "s3:prefix": "obj/a" }), true);
  assertEquals(ask(list("Allow", prefix), { "s3:prefix": "other" }), false);
  assertEquals(ask(list("Allow", prefix)), false);
  const exact = { StringEquals: { "S3:Prefix": "a" } };
  assertEquals(ask(list("Allow", exact), { "s3:prefix": "a" }), true);
  assertEquals(ask(list("Allow", exact), { "s3:prefix": "ab" }), false);
  const ifExists = { StringLikeIfExists: { "s3:prefix": "obj/*" } };
  assertEquals(ask(list("Allow", ifExists)), true);
  assertEquals(ask(list("Allow", ifExists), { "s3:prefix": "obj/a" }), true);
  assertEquals(ask(list("Allow", ifExists), { "s3:prefix": "other" }), false);
  assertEquals(ask(list("Deny", ifExists)), false);
  const strangeIfExists = { DateLessThanIfExists: { "aws:CurrentTime": "2030-01-01" } };
  assertEquals(ask(list("Allow", strangeIfExists)), false);
  const strange = { DateLessThan: { "aws:CurrentTime": "2030-01-01" } };
  assertEquals(ask(list("Allow", strange)), false);
  assertEquals(ask(list("Deny", strange)), false);
});
