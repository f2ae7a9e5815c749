/** Images for tests, written without any program: PNG, version 1.2 (W3C Recommendation, 2003). */

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const SIZE = 24;

/** Writes `count` different images, `p1.png` and so on, into `folder`, which is made. */
export async function writePngs(folder: string, count: number): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (let number = 1; number <= count; number++) {
    await Deno.writeFile(`${folder}/p${number}.png`, await pngOf(number));
  }
}

async function pngOf(seed: number): Promise<Uint8Array> {
  const rows = new Uint8Array(SIZE * (1 + SIZE * 3));
  for (let y = 0, at = 0; y < SIZE; y++) {
    rows[at++] = 0;
    for (let x = 0; x < SIZE; x++) {
      for (let channel = 0; channel < 3; channel++) {
        rows[at++] = (x * seed + y * (channel + 1) * 7 + (x ^ y) * seed) & 0xff;
      }
    }
  }
  const deflated = new Response(
    new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")),
  );
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, SIZE);
  new DataView(header.buffer).setUint32(4, SIZE);
  header.set([8, 2, 0, 0, 0], 8);
  const chunks = [
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", await deflated.bytes()),
    chunk("IEND", new Uint8Array()),
  ];
  return await new Response(new Blob(chunks)).bytes();
}

function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(12 + data.length);
  const view = new DataView(all.buffer);
  view.setUint32(0, data.length);
  all.set(new TextEncoder().encode(type), 4);
  all.set(data, 8);
  view.setUint32(8 + data.length, crc32(all.subarray(4, 8 + data.length)));
  return all;
}

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
