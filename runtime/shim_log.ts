/**
 * The path shim's log: records `<letter><absolute logical path>NUL`, appended by every process of a
 * job; `O` opened or existed, `L` listed, `A` absent, `I` absent but in the image,
 * `B` a reason why the log may be incomplete.
 */
import { FormatError } from "../job/errors.ts";
import type { Proof } from "../job/proof.ts";

/** What the runtime itself looked for in the job's root while it searched the program. */
export interface Seen {
  readonly opened: readonly string[];
  readonly absent: readonly string[];
  readonly blind: readonly string[];
}

/**
 * Reads a log, records in any order and number, into sorted lists.
 *
 * @throws {FormatError} If a record has no known letter or no absolute path.
 */
export function readShimLog(log: Uint8Array, seen: Seen): Proof {
  const opened = new Set(seen.opened);
  const absent = new Set(seen.absent);
  const blind = new Set(seen.blind);
  const listed = new Set<string>();
  const image = new Set<string>();
  const sets: Record<string, Set<string>> = {
    O: opened,
    L: listed,
    A: absent,
    I: image,
    B: blind,
  };
  const records = new TextDecoder().decode(log).split("\0");
  // What follows the last NUL is a record that a killed process did not finish.
  const cutOff = records.pop();
  if (cutOff !== undefined && cutOff !== "") blind.add("the path shim's log is cut off");
  for (const record of records) {
    const letter = record.charAt(0);
    const text = record.slice(1);
    const set = sets[letter];
    if (set === undefined || (letter !== "B" && !text.startsWith("/"))) {
      throw new FormatError("the path shim's log", `it has the record ${JSON.stringify(record)}`);
    }
    set.add(text);
    // Another name than that of the job is what such a one is when it is text.
    if (text.includes("\ufffd")) blind.add("it asked for a name that is not UTF-8");
  }
  const sorted = (set: Set<string>) => [...set].sort();
  return {
    opened: sorted(opened),
    listed: sorted(listed),
    absent: sorted(absent),
    blind: sorted(blind),
    ...(image.size > 0 && { image: sorted(image) }),
  };
}
