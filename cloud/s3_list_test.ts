import { assertEquals } from "@std/assert";
import { type CloudFixture, withCloud } from "./cloud_fixture.ts";

interface Listing {
  keys: string[];
  prefixes: string[];
}

/** What S3 lists, computed the simple way: all at once, by the bytes of the keys. */
function model(keys: readonly string[], prefix: string, delimiter: string, after: string): Listing {
  const hex = (text: string) => new TextEncoder().encode(text).toHex();
  const sorted = keys.filter((key) => key.startsWith(prefix) && hex(key) > hex(after))
    .toSorted((a, b) => hex(a) < hex(b) ? -1 : 1);
  const listing: Listing = { keys: [], prefixes: [] };
  for (const key of sorted) {
    const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut < 0) listing.keys.push(key);
    else {
      const common = key.slice(0, cut + delimiter.length);
      if (!listing.prefixes.includes(common)) listing.prefixes.push(common);
    }
  }
  return listing;
}

async function pages(
  { s3 }: CloudFixture,
  parameters: Record<string, string>,
  second: boolean,
): Promise<Listing> {
  const listing: Listing = { keys: [], prefixes: [] };
  let next: Record<string, string> = {};
  for (let page = 0; page < 200; page++) {
    const query = new URLSearchParams({
      ...second ? { "list-type": "2" } : {},
      "encoding-type": "url",
      ...parameters,
      ...next,
    });
    const answer = await s3(`/bkt?${query}`);
    const decode = (text: string) => decodeURIComponent(text.replaceAll("+", "%20"));
    const keys = answer.all("Key").map(decode);
    // The first `Prefix` is the one that was asked for.
    const prefixes = answer.all("Prefix").map(decode).slice(1);
    listing.keys.push(...keys);
    listing.prefixes.push(...prefixes);
    const maxKeys = Number(parameters["max-keys"] ?? 1000);
    assertEquals(keys.length + prefixes.length <= maxKeys, true);
    if (answer.all("IsTruncated")[0] === "false") return listing;
    assertEquals(keys.length + prefixes.length, maxKeys);
    next = second
      ? { "continuation-token": answer.all("NextContinuationToken")[0] ?? "" }
      : { marker: decode(answer.all("NextMarker")[0] ?? "") || keys.at(-1) || "" };
  }
  throw new Error("The listing has no end");
}

const KEYS = [
  "a",
  "a/",
  "a/b",
  "a/b/c",
  "a/b/d",
  "a-b",
  "a0",
  "b/1",
  "b/2",
  "b/3",
  "b//",
  "b//x",
  "c\uffee/x",
  "c\u{1f999}/x",
  "c\u{1f999}/y",
  "c\u{10ffff}",
  "d d/+%&",
  "zz",
];

Deno.test("S3 lists as the simple way does, whatever prefix, delimiter and page", async () => {
  await withCloud(async (cloud) => {
    await cloud.s3("/bkt", { method: "PUT" });
    for (const key of KEYS) {
      const target = `/bkt/${key.split("/").map(encodeURIComponent).join("/")}`;
      assertEquals((await cloud.s3(target, { method: "PUT", body: key })).status, 200);
    }
    for (const prefix of ["", "a", "a/", "b/", "c\u{1f999}", "none"]) {
      for (const delimiter of ["", "/", "b"]) {
        const expected = model(KEYS, prefix, delimiter, "");
        for (const maxKeys of ["1", "3", "1000"]) {
          for (const second of [true, false]) {
            const parameters = { prefix, delimiter, "max-keys": maxKeys };
            const found = await pages(cloud, parameters, second);
            assertEquals({ parameters, second, found }, { parameters, second, found: expected });
          }
        }
      }
    }
    for (const after of ["a/b", "b/1", "zzz", "c\uffee"]) {
      const parameters = { "start-after": after, "max-keys": "2" };
      assertEquals(await pages(cloud, parameters, true), model(KEYS, "", "", after));
    }
    assertEquals((await cloud.s3("/bkt?list-type=2&max-keys=0")).all("IsTruncated"), ["false"]);
    assertEquals((await cloud.s3("/bkt?list-type=2&max-keys=x")).code, "InvalidArgument");
    const bad = await cloud.s3("/bkt?list-type=2&continuation-token=!");
    assertEquals(bad.code, "InvalidArgument");
  });
});
