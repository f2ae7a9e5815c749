/** The checksums that S3's clients may ask for: Amazon S3 User Guide, "Checking object integrity". */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** A checksum algorithm, as it stands in `x-amz-checksum-NAME`. */
export type ChecksumAlgorithm = "crc32" | "crc32c" | "crc64nvme" | "sha1" | "sha256";

/** All of them. */
export const CHECKSUM_ALGORITHMS: readonly ChecksumAlgorithm[] = [
  "crc32",
  "crc32c",
  "crc64nvme",
  "sha1",
  "sha256",
];

/** A checksum in the making. */
export interface Checksum {
  /** Takes in more bytes. */
  update(bytes: Uint8Array): void;
  /** The checksum in base64, as S3 writes it. */
  digest(): string;
}

/** The algorithm of that name in any case, undefined if there is none. */
export function checksumAlgorithm(name: string): ChecksumAlgorithm | undefined {
  return CHECKSUM_ALGORITHMS.find((known) => known === name.toLowerCase());
}

/** Starts a checksum. */
export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case "sha1":
    case "sha256": {
      const hash = createHash(algorithm);
      return {
        update: (bytes) => void hash.update(bytes),
        digest: () => hash.digest("base64"),
      };
    }
    case "crc32": {
      let value = 0;
      return {
        update: (bytes) => void (value = crc32(bytes, value)),
        digest: () => bigEndian(value),
      };
    }
    case "crc32c":
      return crc32c();
    case "crc64nvme":
      return crc64nvme();
  }
}

function bigEndian(...words: number[]): string {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setUint32(index * 4, word >>> 0));
  return bytes.toBase64();
}

/** CRC-32C, RFC 3720 appendix B.4: polynomial 0x1EDC6F41, here reflected. */
function crc32c(): Checksum {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let word = byte;
    for (let bit = 0; bit < 8; bit++) word = (word >>> 1) ^ (word & 1 ? 0x82f63b78 : 0);
    table[byte] = word;
  }
  let value = 0xffffffff;
  return {
    update(bytes) {
      for (const byte of bytes) value = (value >>> 8) ^ (table[(value ^ byte) & 255] ?? 0);
    },
    digest: () => bigEndian(value ^ 0xffffffff),
  };
}

/** CRC-64/NVME, NVM Command Set Specification: polynomial 0xAD93D23594C93659, here reflected. */
function crc64nvme(): Checksum {
  // Two halves of 32 bits: a BigInt a byte would be fifty times slower.
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1;
      l = ((l >>> 1) | ((h & 1) << 31)) >>> 0;
      h >>>= 1;
      if (odd) {
        h = (h ^ 0x9a6c9329) >>> 0;
        l = (l ^ 0xac4bc9b5) >>> 0;
      }
    }
    high[byte] = h;
    low[byte] = l;
  }
  let h = 0xffffffff;
  let l = 0xffffffff;
  return {
    update(bytes) {
      for (const byte of bytes) {
        const at = (l ^ byte) & 255;
        l = ((l >>> 8) | ((h & 255) << 24)) ^ (low[at] ?? 0);
        h = (h >>> 8) ^ (high[at] ?? 0);
      }
    },
    digest: () => bigEndian(h ^ 0xffffffff, l ^ 0xffffffff),
  };
}
