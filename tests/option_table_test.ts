import { assert, assertEquals } from "@std/assert";
import { familyOf } from "../cc/family.ts";
import { findProgram } from "../cc/toolchain.ts";
import { realFiles } from "../daemon/real_files.ts";
import { likelyNames, probeOptions } from "../scripts/option_probe.ts";

const PATH = "/usr/local/bin:/usr/bin:/bin";

// `deno task options` tries all names, of all compilers.
for (const compiler of ["cc", "clang"]) {
  const driver = findProgram(compiler, PATH, realFiles);
  Deno.test({
    name: `the option table says of ${compiler} which options take the next argument`,
    ignore: driver === undefined,
    fn: async () => {
      assert(driver);
      const family = familyOf(driver, realFiles);
      const names = await likelyNames(driver, family);
      const { tried, missing, extra } = await probeOptions(driver, family, names);
      assert(tried > 100, `${tried} options`);
      assertEquals({ missing, extra }, { missing: [], extra: [] });
    },
  });
}
