import { assertEquals, assertThrows } from "@std/assert";
import { evaluateValue, type Scope } from "./cloudformation_functions.ts";
import { ServiceError } from "./service.ts";

const SCOPE: Scope = {
  mappings: { Sizes: { small: { memory: "512" } } },
  conditions: {
    Yes: { "Fn::Equals": [{ Ref: "Name" }, "llama"] },
    No: { "Fn::Not": [{ Condition: "Yes" }] },
    Both: { "Fn::And": [{ Condition: "Yes" }, { Condition: "No" }] },
    Either: { "Fn::Or": [{ Condition: "Yes" }, { Condition: "No" }] },
  },
  ref: (name) => ({ Name: "llama", List: ["a", "b"] } as Record<string, string | string[]>)[name],
  getAtt: (id, attribute) => id === "Bucket" && attribute === "Arn" ? "arn:b" : undefined,
};

const CASES: [value: unknown, expected: unknown][] = [
  ["plain", "plain"],
  [{ a: [1, true, { Ref: "Name" }] }, { a: [1, true, "llama"] }],
  [{ "Fn::GetAtt": ["Bucket", "Arn"] }, "arn:b"],
  [{ "Fn::GetAtt": "Bucket.Arn" }, "arn:b"],
  [{ "Fn::Sub": "${Name}/${Bucket.Arn}/${!Name}" }, "llama/arn:b/${Name}"],
  [{ "Fn::Sub": ["${X}-${Name}", { X: { Ref: "Name" } }] }, "llama-llama"],
  [{ "Fn::Join": ["-", ["x", { Ref: "Name" }]] }, "x-llama"],
  [{ "Fn::Join": ["-", { Ref: "List" }] }, "a-b"],
  [{ "Fn::Select": ["1", { Ref: "List" }] }, "b"],
  [{ "Fn::Split": [",", "a,b"] }, ["a", "b"]],
  [{ "Fn::Base64": "hello" }, "aGVsbG8="],
  [{ "Fn::FindInMap": ["Sizes", "small", "memory"] }, "512"],
  [{ "Fn::If": ["Yes", "y", "n"] }, "y"],
  [{ "Fn::If": ["No", "y", "n"] }, "n"],
  [{ "Fn::If": ["Both", "y", "n"] }, "n"],
  [{ "Fn::If": ["Either", "y", "n"] }, "y"],
  [{ a: { Ref: "AWS::NoValue" }, b: [{ Ref: "AWS::NoValue" }, 1] }, { b: [1] }],
];

for (const [value, expected] of CASES) {
  Deno.test(`evaluateValue() evaluates ${JSON.stringify(value)}`, () => {
    assertEquals(evaluateValue(value, SCOPE), expected);
  });
}

const REFUSED: [value: unknown, message: string][] = [
  [{ Ref: "None" }, "Template error: Unresolved reference to 'None'"],
  [
    { "Fn::GetAtt": ["Bucket", "Nothing"] },
    "Template error: resource Bucket does not support attribute type Nothing in Fn::GetAtt",
  ],
  [
    { "Fn::ImportValue": "x" },
    "Template error: the function Fn::ImportValue is not supported here",
  ],
  [
    { "Fn::Select": ["2", ["a"]] },
    "Template error: Fn::Select cannot select nonexistent value",
  ],
];

for (const [value, message] of REFUSED) {
  Deno.test(`evaluateValue() refuses ${JSON.stringify(value)}`, () => {
    assertThrows(() => evaluateValue(value, SCOPE), ServiceError, message);
  });
}
