/** The commands of the README do what it shows. */
import { assert, assertEquals } from "@std/assert";
import { useBuildCloud, writeFiles } from "./build_cloud.ts";
import { writePngs } from "./png.ts";

const cloud = useBuildCloud();

const PROGRAM = `#include <math.h>
#include <stdio.h>
int main(int argc, char **argv) { return printf("%f\\n", sqrt(argc + 1)) < 0; }
`;
const REPORT = `import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1])))
json.dump({"total": sum(int(row["n"]) for row in rows)}, open(sys.argv[2], "w"))
`;

/** A command and what it prints. */
interface Shown {
  readonly command: string;
  readonly printed: string;
}

/** The commands of the parts from `## Any command` to the next of that rank, block by block. */
function blocksOf(readme: string): Shown[][] {
  const part = readme.slice(readme.indexOf("\n## Any command\n"));
  const text = part.slice(0, part.indexOf("\n## ", 1));
  return [...text.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block = ""]) =>
    block.split(/^\$ /m).slice(1).map((shown) => {
      const [command = "", ...lines] = shown.split("\n");
      return { command, printed: lines.join("\n") };
    })
  );
}

/** What differs each time: times and costs. */
function same(text: string): string {
  return text.replaceAll(/\b\d+\.\ds\b/g, "#s").replaceAll(/\$0\.0\d*/g, "$#");
}

const MARK = "\x01";

const { success: hasAll } = await new Deno.Command("sh", {
  args: ["-c", "command -v optipng gcc python3"],
  stdout: "null",
}).output();

const test = hasAll ? Deno.test : Deno.test.ignore;

test("the README's commands print what it says (skipped without optipng, gcc or python3)", async () => {
  const readme = await Deno.readTextFile(new URL("../README.md", import.meta.url));
  const blocks = blocksOf(readme);
  assert(blocks.flat().length > 15, "they are found");
  await writePngs(cloud.work, 2);
  await writeFiles(cloud.work, {
    "README.md": readme,
    "prog.c": PROGRAM,
    "report.py": REPORT,
    "sales.csv": "n\n40\n2\n",
  });
  await cloud.must(["sh", "-c", "mv p1.png a.png; mv p2.png b.png"]);
  for (const block of blocks) {
    const script = block.map(({ command }) => `${command}\nprintf '\\001'`).join("\n");
    const { stdout } = await cloud.run(["bash", "-c", `exec 2>&1\n${script}`]);
    const printed = stdout.split(MARK);
    for (const [index, { command, printed: expected }] of block.entries()) {
      assertEquals(same(printed[index] ?? ""), same(expected), command);
    }
  }
  const left = ["OUTPUT", "OUT", "small/a.png", "optimized/b.png", "tiny/b.png"];
  for (const name of left) assert((await Deno.stat(`${cloud.work}/${name}`)).size > 0, name);
});
