import { assertEquals, assertRejects } from "@std/assert";
import { LlamaError } from "../job/errors.ts";
import { createObjectFile, type ObjectMetadata, openObjectFile } from "./object_file.ts";

async function write(path: string, body: Uint8Array, headers = {}): Promise<ObjectMetadata> {
  await using writer = await createObjectFile(path.slice(0, path.lastIndexOf("/")));
  for (let at = 0; at < body.length; at += 1000) await writer.write(body.subarray(at, at + 1000));
  const metadata: ObjectMetadata = {
    key: "k",
    size: writer.size,
    etag: "e",
    modifiedMs: 1,
    headers,
    checksum: { algorithm: "crc32", value: "AAAAAA==" },
  };
  await writer.finish(metadata);
  await writer.publish(path);
  return metadata;
}

async function withFolder(test: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function read(path: string, start: number, length: number): Promise<Uint8Array> {
  const reader = await openObjectFile(path);
  return reader === undefined
    ? new Uint8Array()
    : await new Response(reader.stream(start, length)).bytes();
}

Deno.test("openObjectFile() gives any range of what was written", async () => {
  await withFolder(async (directory) => {
    const path = `${directory}/k`;
    for (const size of [0, 1, 65_000, 65_536, 700_000]) {
      const body = new Uint8Array(size).map((_, index) => index * 31 + (index >> 8));
      // Metadata longer than what one read takes.
      const metadata = await write(path, body, { "x-amz-meta-a": "x".repeat(size / 7) });
      using reader = await openObjectFile(path);
      assertEquals(reader?.metadata, metadata);
      const ranges: [number, number][] = [[0, size], [size >> 1, size - (size >> 1)], [
        size >> 2,
        1,
      ]];
      for (const [start, length] of ranges) {
        const bytes = await read(path, start, Math.min(length, size - start));
        assertEquals(bytes, body.subarray(start, start + length));
      }
    }
    assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["k"]);
  });
});

Deno.test("openObjectFile() refuses a file that is not whole", async () => {
  await withFolder(async (directory) => {
    const path = `${directory}/k`;
    await write(path, new Uint8Array(100));
    const whole = await Deno.readFile(path);
    const cases = [
      whole.subarray(0, -1),
      whole.subarray(1),
      new Uint8Array(),
      whole.with(whole.length - 1, 1),
      whole.with(105, 0),
    ];
    for (const bytes of cases) {
      await Deno.writeFile(path, bytes);
      await assertRejects(() => openObjectFile(path), LlamaError);
    }
    assertEquals(await openObjectFile(`${directory}/none`), undefined);
  });
});

Deno.test("createObjectFile() leaves nothing of what is not published", async () => {
  await withFolder(async (directory) => {
    {
      await using writer = await createObjectFile(directory);
      await writer.write(new Uint8Array(10));
    }
    assertEquals([...Deno.readDirSync(directory)], []);
  });
});
