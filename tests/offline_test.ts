/**
 * The stand-ins under `offline/` and the choice between the two configurations. The tests of what
 * stands in for `@std` hold with the real packages, too: they state what the project relies on.
 */
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { basename, extname, join, normalize, relative, resolve } from "@std/path/posix";
import { chooseConfig, type ConfigSeams, projectRoot } from "../scripts/config.ts";

function seams(over: Partial<ConfigSeams> & { vars?: Record<string, string> }): ConfigSeams {
  return {
    env: (name) => over.vars?.[name],
    isCached: () => Promise.resolve(false),
    probe: () => Promise.resolve(200),
    ...over,
  };
}

Deno.test("chooseConfig() takes deno.json where JSR answers or is cached", async () => {
  assertEquals(await chooseConfig(seams({})), { file: "deno.json", reason: "jsr.io answers" });
  const cached = seams({
    isCached: () => Promise.resolve(true),
    probe: () => Promise.reject(new Error("must not be asked")),
  });
  assertEquals((await chooseConfig(cached)).file, "deno.json");
});

Deno.test("chooseConfig() takes deno.offline.json only if the registry does not serve", async () => {
  const asked: string[] = [];
  const failing = seams({
    vars: { JSR_URL: "http://127.0.0.1:9/" },
    probe: (url) => {
      asked.push(url);
      return Promise.resolve("Connection refused");
    },
  });
  assertEquals(await chooseConfig(failing), {
    file: "deno.offline.json",
    reason: "127.0.0.1:9 cannot be reached: Connection refused",
  });
  assertEquals(asked, ["http://127.0.0.1:9/@std/cli/meta.json"]);
  const refused = await chooseConfig(seams({ probe: () => Promise.resolve(403) }));
  assertEquals(refused.reason, "jsr.io cannot be reached: it answers 403");
});

Deno.test("chooseConfig() obeys LLAMA_OFFLINE before anything else", async () => {
  const unused = {
    isCached: () => Promise.reject(new Error("must not be asked")),
    probe: () => Promise.reject(new Error("must not be asked")),
  };
  const choices = ["1", "0"].map((value) =>
    chooseConfig(seams({ vars: { LLAMA_OFFLINE: value }, ...unused }))
  );
  assertEquals((await Promise.all(choices)).map(({ file }) => file), [
    "deno.offline.json",
    "deno.json",
  ]);
});

Deno.test("the two configurations differ in nothing but imports, lock and package", async () => {
  const read = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await Deno.readTextFile(new URL(name, projectRoot)));
  const real = await read("deno.json");
  const offline = await read("deno.offline.json");
  for (const key of ["compilerOptions", "fmt", "lint"]) assertEquals(offline[key], real[key], key);
  assertEquals(Object.keys(offline).toSorted(), [
    "compilerOptions",
    "fmt",
    "imports",
    "lint",
    "lock",
  ]);
  const npm = (imports: unknown) =>
    Object.entries(Object(imports)).filter(([name, target]) =>
      name !== "minimist" && String(target).startsWith("npm:")
    );
  assertEquals(npm(offline.imports), npm(real.imports));
});

Deno.test("both lock files hold the same npm packages", async () => {
  const read = async (name: string): Promise<Record<string, unknown>> =>
    JSON.parse(await Deno.readTextFile(new URL(name, projectRoot)));
  const real = Object(await read("deno.lock")).npm;
  const offline = { ...Object(await read("offline/deno.lock")).npm };
  for (const name of Object.keys(offline)) if (/minimist@/.test(name)) delete offline[name];
  assertEquals(offline, real);
});

Deno.test("parseArgs() reads switches, values and lists", () => {
  const options = {
    boolean: ["json", "quiet"],
    string: ["region", "file"],
    collect: ["file"],
    alias: { file: "f" },
    default: { region: "us-east-1" },
  } as const;
  assertEquals({ ...parseArgs([], options) }, {
    _: [],
    json: false,
    quiet: false,
    region: "us-east-1",
    file: [],
    f: [],
  });
  const given = parseArgs(
    [
      "--json",
      "--region=a",
      "--region=b=c",
      "-f",
      "x",
      "--file=1",
      "--quiet=false",
      "rest",
      "--",
      "-z",
    ],
    options,
  );
  assertEquals([given.json, given.quiet, given.region, given.file, given._], [
    true,
    false,
    "b=c",
    ["x", "1"],
    ["rest", "-z"],
  ]);
});

Deno.test("parseArgs() takes an equals sign with nothing after it as part of the name", () => {
  const { region, ...rest } = parseArgs(["--region="], { string: ["region"] });
  assertEquals(region, undefined);
  assertEquals<unknown>(Object.entries(rest).at(-1), ["region=", true]);
});

Deno.test("parseArgs() negates only what is negatable and shows what it does not know", () => {
  const unknown: (string | undefined)[] = [];
  const parsed = parseArgs(["--no-color", "--no-json", "--nope=1", "x"], {
    boolean: ["color", "json"],
    default: { color: true },
    negatable: ["color"],
    unknown: (arg, key) => {
      unknown.push(arg, key);
      return key === undefined;
    },
  });
  assertEquals([parsed.color, parsed.json, parsed._], [false, false, ["x"]]);
  assertEquals(unknown, ["--no-json", "no-json", "--nope=1", "nope", "x", undefined]);
});

Deno.test("parseArgs() stops early and keeps what follows the dashes apart", () => {
  const parsed = parseArgs(["--json", "run", "--json=false", "--", "a", "1"], {
    boolean: ["json"],
    stopEarly: true,
    "--": true,
  });
  assertEquals([parsed.json, parsed._, parsed["--"]], [true, ["run", "--json=false"], ["a", "1"]]);
});

Deno.test("timingSafeEqual() compares bytes, and lengths first", () => {
  const bytes = (...values: number[]) => new Uint8Array(values);
  assert(timingSafeEqual(bytes(1, 2), bytes(1, 2)));
  assert(!timingSafeEqual(bytes(1, 2), bytes(1, 3)));
  assert(!timingSafeEqual(bytes(1, 2), bytes(1, 2, 3)));
  assert(timingSafeEqual(bytes(0, 1, 2).subarray(1), bytes(1, 2).buffer));
});

Deno.test("path functions follow POSIX", () => {
  assertEquals(
    [join("a", "..", "/b/"), join(), normalize("a//./b/../c"), basename("/a/b.c/", ".c")],
    ["b/", ".", "a/c", "b"],
  );
  assertEquals([
    extname(".rc"),
    extname("a.tar.gz"),
    relative("/a/b", "/a/c/d"),
    resolve("/a", "../b"),
  ], [
    "",
    ".gz",
    "../c/d",
    "/b",
  ]);
  assertEquals(basename(new URL("file:///a/b%20c")), "b c");
});

Deno.test("assertEquals() tells undefined members, classes and order in a Map apart as std does", () => {
  class Point {
    x = 1;
  }
  const bare: unknown = Object.assign(Object.create(null), { x: 1 });
  assertEquals<unknown>({ x: 1 }, bare);
  assertEquals<unknown>([0, NaN], [-0, NaN]);
  assertEquals(new Map([["a", 1], ["b", 2]]), new Map([["b", 2], ["a", 1]]));
  assertEquals(new Set([[1], [2]]), new Set([[2], [1]]));
  assertEquals(new Date(5), new Date(5));
  assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 2]));
  const loop: { self?: unknown } = {};
  loop.self = loop;
  assertEquals(loop, loop);
  assertNotEquals<unknown>({ x: 1 }, { x: 1, y: undefined });
  assertNotEquals<unknown>({ x: 1 }, new Point());
  assertNotEquals<unknown>(new Uint8Array([1]), [1]);
  assertNotEquals<unknown>(new Set([1]), new Set([2]));
  assertNotEquals<unknown>(/a/g, /a/);
  assertThrows(() => assertEquals([1], [2]), Error, "equal");
});

Deno.test("assertThrows() and assertRejects() check class and message", async () => {
  const error = assertThrows(() => JSON.parse("{"), SyntaxError);
  assertStringIncludes(error.message, "JSON");
  assertThrows(() => assertThrows(() => JSON.parse("{"), RangeError), Error, "SyntaxError");
  assertThrows(() => assertThrows(() => {}), Error, "to throw");
  await assertRejects(() => Promise.reject(new RangeError("far off")), RangeError, "far");
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), Error, "to reject");
  await assertRejects(
    () => assertRejects(() => Promise.reject(new RangeError("far")), RangeError, "near"),
    Error,
    "near",
  );
});
