/**
 * What a compiler may meet on its way to a header, and what may change between two builds: llamacc leaves what the
 * compiler leaves, and says the same. The local compiler is the judge.
 */
import { assert, assertEquals } from "@std/assert";
import { findProgram } from "../cc/toolchain.ts";
import { realFiles } from "../daemon/real_files.ts";
import { useBuildCloud } from "./build_cloud.ts";
import { describe } from "./fuzz/difference.ts";
import { examine } from "./fuzz/fuzzer.ts";
import { readNastyCases } from "./nasty_case.ts";

const cloud = useBuildCloud({ unprivileged: true });
const cases = await readNastyCases(new URL("nasty", import.meta.url).pathname);

Deno.test("there are enough nasty cases", () => assert(cases.length >= 120, `${cases.length}`));

for (const { name, fuzzed, local, fallback } of cases) {
  const isThere = findProgram(fuzzed.compiler, "/usr/bin:/bin", realFiles) !== undefined;
  Deno.test({
    name: `llamacc is not fooled by ${name.replaceAll("-", " ")}`,
    ignore: !isThere,
    fn: async () => {
      await cloud.stats("zero");
      const { differences } = await examine({ cloud, root: `${cloud.work}/case` }, fuzzed);
      assertEquals(differences.map(describe).join("\n"), "");
      const stats = await cloud.stats();
      assertEquals([stats.local, stats.fallback], [local, fallback]);
      assert(stats.remote > 0 || Object.keys({ ...local, ...fallback }).length > 0, "nothing ran");
    },
  });
}
