/**
 * Tells of jobs one after the other, as they end or in the order of their lines. What waits for its turn is bounded:
 * who comes with more waits, while the job that all wait for runs on.
 */

/** Tells of jobs. What `tell` throws is thrown by all calls that follow. */
export interface Ordered {
  /** Has `tell` called when it is the turn of the line number `seq`; resolves when more may come. */
  add(seq: number, bytes: number, tell: () => Promise<void>): Promise<void>;
  /** Nothing will come for this line. */
  skip(seq: number): Promise<void>;
  /** Resolves when all that came has been told. */
  finish(): Promise<void>;
}

/** Most bytes that wait for their turn. */
const MAX_HELD_BYTES = 64 * 1024 * 1024;
/** Most jobs that do. */
const MAX_HELD = 10_000;

/** Tells of each job when it comes. */
export function asTheyEnd(): Ordered {
  let last: Promise<void> = Promise.resolve();
  return {
    add: (_seq, _bytes, tell) => last = last.then(tell),
    skip: () => Promise.resolve(),
    finish: () => last,
  };
}

/** Tells of jobs in the order of their lines, from 1. */
export function inOrder(): Ordered {
  interface Held {
    readonly bytes: number;
    readonly tell: (() => Promise<void>) | undefined;
  }
  const held = new Map<number, Held>();
  let heldBytes = 0;
  let next = 1;
  let telling: Promise<void> = Promise.resolve();
  let room = Promise.withResolvers<void>();

  const tellDue = async () => {
    try {
      for (let due = held.get(next); due !== undefined; due = held.get(next)) {
        held.delete(next++);
        heldBytes -= due.bytes;
        await due.tell?.();
      }
    } finally {
      room.resolve();
      room = Promise.withResolvers();
    }
  };
  const hold = (seq: number, one: Held): Promise<void> => {
    held.set(seq, one);
    heldBytes += one.bytes;
    return telling = telling.then(tellDue);
  };

  return {
    add: async (seq, bytes, tell) => {
      await hold(seq, { bytes, tell });
      while (held.has(seq) && (heldBytes > MAX_HELD_BYTES || held.size > MAX_HELD)) {
        await room.promise;
        await telling;
      }
    },
    skip: (seq) => hold(seq, { bytes: 0, tell: undefined }),
    finish: () => telling,
  };
}
