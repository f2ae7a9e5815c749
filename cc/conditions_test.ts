import { assertEquals } from "@std/assert";
import { conditionNeeds, needsOf } from "./conditions.ts";

Deno.test("conditionNeeds() names the macros of which one must be defined", () => {
  const cases: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    ["defined A", [["A"]]],
    ["defined(A)", [["A"]]],
    ["A", [["A"]]],
    ["(A)", [["A"]]],
    ["A && B", [["A"], ["B"]]],
    ["A || B", [["A", "B"]]],
    ["(A || defined(B)) && C", [["A", "B"], ["C"]]],
    ["A && B || C", [["A", "C"]]],
    ["A > 0", [["A"]]],
    ["A >= 201703L", [["A"]]],
    ["A == 1 && B", [["A"], ["B"]]],
    ["F(1, (2)) && A", [["F"], ["A"]]],
    ["A // words", [["A"]]],
    ["/* B */ A", [["A"]]],
    ["0", [[]]],
    ["A && 0", [["A"], []]],
  ];
  for (const [text, needs] of cases) assertEquals(conditionNeeds(text), needs, text);
});

Deno.test("conditionNeeds() says nothing of what holds without any definition, or of what it does not know", () => {
  for (
    const text of [
      ...["", "1", "!A", "!defined A", "!(A && B)", "A == 0", "A < 5", "A <= 0", "A != 1"],
      ...[
        "A || !B",
        "A || 1",
        "A > B",
        "0 == A",
        "-A",
        "~A",
        "A ? B : C",
        "1 ? 1 : A",
        "(A ? 0 : 1)",
      ],
      ...["A + 1 > 0", "A | 1", "(A) == 0", "defined", "defined(", "defined(A", "(A", "A)", "A B"],
      ...[
        "not A",
        "A and B",
        "true",
        "'a'",
        "A > 0 ? 0 : 1",
        "@",
        "A == 0x0",
        "A > 1.5",
        "A < 1 && B < 1",
      ],
      ...["__cplusplus > 201703L", "defined __linux__", "__GNUC_PREREQ(4, 1)", "_OPENMP", "A >= 0"],
      '__has_include("A.h")',
      "__has_include(<A/B.h>)",
    ]
  ) {
    assertEquals(conditionNeeds(text), [], text);
  }
});

Deno.test("needsOf() reads each kind of conditional", () => {
  const cases: readonly (readonly [string, string, readonly (readonly string[])[]])[] = [
    ["#ifdef A", "", [["A"]]],
    ["# ifdef A // words", "", [["A"]]],
    ["#ifndef A", "", []],
    ["#if A", "", [["A"]]],
    ["#if(A)", "", [["A"]]],
    ["#elif A", "#ifdef B", [["A"]]],
    ["#elifdef A", "#ifdef B", [["A"]]],
    ["#elifndef A", "#ifdef B", []],
    ["#else", "#ifdef A", []],
    ["#else", "#ifndef A", [["A"]]],
    ["#else // A", "#ifndef A /* words */", [["A"]]],
    ["#else", "#if !defined(A)", [["A"]]],
    ["#else", "#if ! defined A", [["A"]]],
    ["#else", "#if !A", [["A"]]],
    ["#else", "#if !A && B", []],
    ["#else", "#if !defined(A) || B", []],
    ["#else", "#ifndef __linux__", []],
    ["#ifdef", "", []],
    ["#include <a.h>", "", []],
  ];
  for (const [line, opened, needs] of cases) assertEquals(needsOf(line, opened), needs, line);
});
