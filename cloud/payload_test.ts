import { assertEquals, assertRejects } from "@std/assert";
import { CHECKSUM_ALGORITHMS, createChecksum } from "./checksums.ts";
import { sha256Hex } from "./digests.ts";
import { openPayload, readPayload } from "./payload.ts";
import { ServiceError } from "./service.ts";
import { type SigningContext, signingKey } from "./sigv4.ts";

function streamOf(text: string, pieceLength: number): ReadableStream<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at += pieceLength));
    },
  });
}

async function read(
  text: string,
  headers: Record<string, string>,
  context?: SigningContext,
  pieceLength = 7,
): Promise<string> {
  const payload = openPayload(streamOf(text, pieceLength), new Headers(headers), context);
  return new TextDecoder().decode(await readPayload(payload, 1e6));
}

async function codeOf(reading: Promise<string>): Promise<string> {
  const error = await assertRejects(() => reading, ServiceError);
  return error instanceof ServiceError ? error.code : "";
}

/** "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks". */
const DOCUMENTED: SigningContext = {
  key: signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "20130524", "us-east-1", "s3"),
  signature: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  amzDate: "20130524T000000Z",
  scope: "20130524/us-east-1/s3/aws4_request",
};
const SIGNED_CHUNKS = [
  "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n",
  `${"a".repeat(65536)}\r\n`,
  "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n",
  `${"a".repeat(1024)}\r\n`,
  "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n",
  "\r\n",
];
const SIGNED_HEADERS = {
  "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "x-amz-decoded-content-length": "66560",
};

Deno.test("openPayload() takes the documented upload in signed chunks", async () => {
  for (const pieceLength of [1000, 65536 + 50, 1e6]) {
    const text = await read(SIGNED_CHUNKS.join(""), SIGNED_HEADERS, DOCUMENTED, pieceLength);
    assertEquals(text, "a".repeat(66560));
  }
});

Deno.test("openPayload() refuses signed chunks that were changed, left out or cut", async () => {
  const changed = SIGNED_CHUNKS.with(3, `b${"a".repeat(1023)}\r\n`);
  const shorter = [...SIGNED_CHUNKS.slice(0, 2), ...SIGNED_CHUNKS.slice(4)];
  const cut = SIGNED_CHUNKS.slice(0, 4);
  for (
    const [chunks, code] of [
      [changed, "SignatureDoesNotMatch"],
      [shorter, "SignatureDoesNotMatch"],
      [cut, "IncompleteBody"],
    ] as const
  ) {
    assertEquals(await codeOf(read(chunks.join(""), SIGNED_HEADERS, DOCUMENTED, 5000)), code);
  }
});

Deno.test("openPayload() checks the trailer of an upload in unsigned chunks", async () => {
  const headers = {
    "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    "x-amz-decoded-content-length": "9",
    "x-amz-trailer": "x-amz-checksum-crc32",
  };
  const body = (sum: string) =>
    `5\r\n12345\r\n4\r\n6789\r\n0\r\nx-amz-checksum-crc32:${sum}\r\n\r\n`;
  const good = "y/Q5Jg==";
  for (const pieceLength of [1, 2, 1000]) {
    assertEquals(await read(body(good), headers, undefined, pieceLength), "123456789");
  }
  assertEquals(await codeOf(read(body("y/Q5JQ=="), headers)), "BadDigest");
  assertEquals(await codeOf(read("5\r\n12345\r\n0\r\n\r\n", headers)), "IncompleteBody");
  assertEquals(await codeOf(read("9\r\n123456789\r\n0\r\n\r\n", headers)), "InvalidRequest");
  assertEquals(await codeOf(read("zz\r\n", headers)), "IncompleteBody");
});

Deno.test("openPayload() checks digests that stand in headers", async () => {
  const sha256 = sha256Hex("hello");
  assertEquals(await read("hello", { "x-amz-content-sha256": sha256 }), "hello");
  assertEquals(
    await codeOf(read("hellO", { "x-amz-content-sha256": sha256 })),
    "XAmzContentSHA256Mismatch",
  );
  assertEquals(await read("hello", { "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" }), "hello");
  assertEquals(
    await codeOf(read("hellO", { "content-md5": "XUFAKrxLKna5cZ2REBfFkg==" })),
    "BadDigest",
  );
  assertEquals(await codeOf(read("hello", { "content-length": "6" })), "IncompleteBody");
  assertEquals(await codeOf(read("hello", { "x-amz-checksum-crc32": "AAAAAA==" })), "BadDigest");
});

Deno.test("createChecksum() gives the check values of the catalogue of CRCs", () => {
  const expected: Record<string, string> = {
    crc32: "cbf43926",
    crc32c: "e3069283",
    crc64nvme: "ae8b14860a799888",
    sha1: "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
    sha256: sha256Hex("123456789"),
  };
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const checksum = createChecksum(algorithm);
    checksum.update(new TextEncoder().encode("1234"));
    checksum.update(new TextEncoder().encode("56789"));
    assertEquals(Uint8Array.fromBase64(checksum.digest()).toHex(), expected[algorithm]);
  }
});
