import { useBuildCloud } from "../build_cloud.ts";
import { fuzzOptions } from "../fuzz/fuzzer.ts";
import { checkCases } from "../fuzz/check.ts";

const cloud = useBuildCloud({ unprivileged: true });
const options = fuzzOptions(Deno.env.toObject(), { seed: 10_000, cases: 2000 });

Deno.test(`llamacc does what the compiler does in ${options.cases} cases from seed ${options.seed}`, () =>
  checkCases(cloud, options));
