/**
 * The seal of workers, found out when it is needed: that takes a fifth of a second, and seconds where the
 * base system must be built first, and what the cloud does besides Lambda shall not wait for it.
 */
import type { Seal, SealKind } from "./worker_seal.ts";

/** A seal that may not be open yet. */
export interface LazySeal {
  /** How workers are sealed, "unknown" as long as it is not tried. */
  readonly kind: SealKind | "unknown";
  /** Opens it, once for all who ask; after a failure the next who asks tries again. */
  get(): Promise<Seal>;
}

/** A seal that `open` opens at the first need. */
export function lazySeal(open: () => Promise<Seal>): LazySeal {
  let opening: Promise<Seal> | undefined;
  let opened: Seal | undefined;
  async function once(): Promise<Seal> {
    try {
      return opened = await open();
    } catch (error) {
      opening = undefined;
      throw error;
    }
  }
  return {
    get kind() {
      return opened?.kind ?? "unknown";
    },
    get: () => opening ??= once(),
  };
}
