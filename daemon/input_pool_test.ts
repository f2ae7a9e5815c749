import { assert, assertEquals } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { decodeManifest, type Input } from "../job/manifest.ts";
import { pickInputs } from "../job/picked.ts";
import { createInputPool } from "./input_pool.ts";
import { noUploads, type Uploads } from "./uploads.ts";

const digest = (of: number) => of.toString(16).padStart(64, "0");
const header = (path: string, content: number): Input => ({
  kind: "file",
  path,
  mode: 0o644,
  content: { digest: digest(content), size: 1 },
});
const headers = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => header(`/h${from + index}.h`, from + index));

function setUp(uploads: Uploads = noUploads) {
  const problems: unknown[] = [];
  const pool = createInputPool({
    uploads,
    read: () => Promise.resolve(undefined),
    onProblem: (problem) => problems.push(problem),
  });
  /** What a worker makes of the parts. */
  const there = (inputs: readonly Input[]) => {
    const { picked, own } = pool.part(inputs);
    const bytes = picked && pool.read(picked.manifest);
    const shared = picked && bytes
      ? pickInputs(decodeManifest(bytes, "manifest").inputs, picked)
      : [];
    return { shared, own };
  };
  return { pool, there, problems };
}

Deno.test("what two units want is named by a bit as soon as there is enough of it", async () => {
  const { pool, there } = setUp();
  const all = headers(100);
  assertEquals(there(all), { shared: [], own: all });
  await pool.settled();
  assertEquals(there(all).own, all);
  await pool.settled();
  assertEquals(there(all), { shared: all, own: [] });
  const some = [...all.slice(10, 20), header("/new.h", 1000)];
  assertEquals(there(some), { shared: all.slice(10, 20), own: some.slice(10) });
});

Deno.test("a job gets a changed file as it is now, and what is in the job itself is never shared", async () => {
  const { pool, there } = setUp();
  const all = [...headers(80), { kind: "link", path: "/l", target: "h1.h" } as const];
  for (let unit = 0; unit < 3; unit++) {
    there(all);
    await pool.settled();
  }
  const source: Input = {
    kind: "file",
    path: "/h3.h",
    mode: 0o644,
    content: { bytes: new Uint8Array([1]) },
  };
  const changed: readonly Input[] = [
    header("/h1.h", 7777),
    { ...header("/h2.h", 2), mode: 0o600 } as Input,
    source,
    { kind: "link", path: "/l", target: "h2.h" },
  ];
  assertEquals(there([...changed, ...headers(1, 4)]), { shared: headers(1, 4), own: changed });
  // The old state is as good as unknown from now on.
  assertEquals(there(headers(1, 1)).own, headers(1, 1));
});

Deno.test("manifests grow by halves, and leave out what nobody wants any more", async () => {
  const { pool, there } = setUp();
  const manifests = new Set<string>();
  const build = async (inputs: readonly Input[]) => {
    for (let unit = 0; unit < 3; unit++) {
      const { picked } = pool.part(inputs);
      if (picked) manifests.add(picked.manifest);
      await pool.settled();
    }
  };
  for (let count = 100; count <= 1000; count += 20) await build(headers(count));
  assert(manifests.size < 8, `${manifests.size} manifests`);
  await build(headers(800, 5000));
  await build(headers(3000, 10_000));
  await build(headers(8000, 20_000));
  const { picked } = pool.part(headers(8000, 20_000));
  const bytes = pool.read(picked?.manifest ?? "");
  assert(bytes && picked);
  const left = decodeManifest(bytes, "manifest").inputs.map(({ path }) => path);
  assert(!left.includes("/h999.h") && left.includes("/h27999.h"));
  assert(there(headers(1)).own.length === 1);
});

Deno.test("what is new in a manifest is one pack", async () => {
  const repacked: number[] = [];
  const { pool } = setUp({
    ...noUploads,
    repack: (objects) => {
      const all = [...objects];
      const pack = digest(900_000 + repacked.push(all.length));
      return Promise.resolve(new Map(all.map((object) => [object, pack])));
    },
  });
  for (const count of [100, 100, 300, 300, 1000, 1000, 1000]) {
    pool.part(headers(count));
    await pool.settled();
  }
  const { picked } = pool.part(headers(1000));
  const manifest = decodeManifest(
    pool.read(picked?.manifest ?? "") ?? new Uint8Array(),
    "manifest",
  );
  assertEquals(repacked, [100, 200, 700]);
  assertEquals(manifest.packs.length, 3);
});

Deno.test("inputs are spelled out while the store takes no manifest", async () => {
  let works = false;
  const { pool, there, problems } = setUp({
    ...noUploads,
    ensure: () => works ? Promise.resolve([]) : Promise.reject(new LlamaError("NoStore", "none")),
  });
  const all = headers(100);
  for (let unit = 0; unit < 3; unit++) {
    assertEquals(there(all), { shared: [], own: all });
    await pool.settled();
  }
  assert(problems.length > 0);
  works = true;
  there(all);
  await pool.settled();
  assertEquals(there(all), { shared: all, own: [] });
});
