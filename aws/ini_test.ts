import { assertEquals, assertThrows } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { parseIni, splitWords } from "./ini.ts";

function read(text: string): Record<string, Record<string, unknown>> {
  const plain: Record<string, Record<string, unknown>> = {};
  for (const [name, section] of parseIni(text, "file")) {
    plain[name] = {};
    for (const [key, value] of section) {
      plain[name][key] = typeof value === "string" ? value : Object.fromEntries(value);
    }
  }
  return plain;
}

Deno.test("parseIni() reads sections, settings and comments as the AWS CLI does", () => {
  assertEquals(
    read(
      "# top\n[default]\nRegion = eu-west-1\naws_access_key_id=A # not a comment\n; c\n" +
        "output : json\nempty =\n\n[profile a b]  # after\n  x = 1\n  y = 2\n z = 3\n",
    ),
    {
      default: {
        region: "eu-west-1",
        aws_access_key_id: "A # not a comment",
        output: "json",
        empty: "",
      },
      "profile a b": { x: "1", y: "2", z: "3" },
    },
  );
});

Deno.test("parseIni() reads a group, and what goes on in the next line", () => {
  assertEquals(
    read(
      "[services local]\ns3 =\n  endpoint_url = http://127.0.0.1:1\n\n  x = a=b\nlambda = \n" +
        "  endpoint_url=http://127.0.0.1:2\n[default]\ncredential_process = /bin/a\n   --long\n",
    ),
    {
      "services local": {
        s3: { endpoint_url: "http://127.0.0.1:1", x: "a=b" },
        lambda: { endpoint_url: "http://127.0.0.1:2" },
      },
      default: { credential_process: "/bin/a\n--long" },
    },
  );
});

Deno.test("parseIni() takes the line ends of any system and a byte order mark", () => {
  assertEquals(read("\uFEFF[a]\r\nx = 1\r\ny=2\r\n"), { a: { x: "1", y: "2" } });
});

Deno.test("parseIni() names the line that it cannot read", () => {
  const bad: [string, string][] = [
    ["x = 1\n", "line 1: a setting stands before the first section"],
    ["[a]\nnothing\n", "line 2: it is neither a section nor a setting"],
    ["[a]\n= 1\n", "line 2: it is neither a section nor a setting"],
    ["[a]\nx=1\n[a]\ny=1\n", 'line 3: the section "a" stands twice'],
    ["[a]\nx=1\nX=2\n", 'line 3: "x" stands twice in its section'],
    ["[a]\nx=\n  no setting\n", '"no setting" in "x" is not a setting'],
  ];
  for (const [text, message] of bad) {
    assertThrows(() => parseIni(text, "file"), FormatError, message, text);
  }
});

Deno.test("splitWords() splits as a shell does", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["  a  b\tc\n", ["a", "b", "c"]],
    [`"/opt/my tool" --x='a "b" c' ""`, ["/opt/my tool", '--x=a "b" c', ""]],
    [String.raw`a\ b "c\"d\\e\f" 'g\h'`, ["a b", String.raw`c"d\e\f`, String.raw`g\h`]],
    [`a"b"'c'd`, ["abcd"]],
  ];
  for (const [text, words] of cases) assertEquals(splitWords(text, "command"), words, text);
  for (const text of ["'a", '"a', "a\\"]) {
    assertThrows(() => splitWords(text, "command"), FormatError, undefined, text);
  }
});
