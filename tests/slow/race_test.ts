import { useBuildCloud } from "../build_cloud.ts";
import { fuzzOptions } from "../fuzz/fuzzer.ts";
import { checkRaces } from "../race/check.ts";

const cloud = useBuildCloud();
const options = fuzzOptions(Deno.env.toObject(), { seed: 10_000, cases: 3000 });

Deno.test(`objects are those of one state each in ${options.cases} trees that change, from seed ${options.seed}`, () =>
  checkRaces(cloud, options));
