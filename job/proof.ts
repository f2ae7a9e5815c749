/**
 * What a rooted job asked of its file system, as the path shim saw it: the paths are in the form in which the
 * caller's machine can check them. There are many (250 opened and 860 absent for a unit of LevelDB, 65 KB), so they
 * travel compressed as one text in which a folder stands once for all names in it: 3 KB, where lists of whole paths
 * take 8.
 *
 * The text is a row of entries separated by NUL. One that begins with a slash is a folder, with a slash at its end;
 * any other is a name in the folder before it, and so a path. `opened`, `listed`, `absent` and `image` are the
 * numbers of paths, which stand in that order:
 *
 *     {"paths": content, "opened": n, "listed": n, "absent": n, "image"?: n, "blind": [reason, ...]}
 */
import { contentFromJson, contentToJson, isInline } from "./content.ts";
import { FormatError } from "./errors.ts";
import { asInteger, asObject, asTexts } from "./json.ts";

/** Paths that a job's processes asked for; absolute, links and `..` not resolved. */
export interface Proof {
  /** Files that were opened, read, executed, or whose state was asked for, and that existed. */
  readonly opened: readonly string[];
  /** Folders that were listed. */
  readonly listed: readonly string[];
  /** Names that were looked for and were not there. */
  readonly absent: readonly string[];
  /** Why the lists may be incomplete, such as a statically linked program; empty when whole. */
  readonly blind: readonly string[];
  /** Names that were not there and that the function's image has; only of jobs that run an image's program. */
  readonly image?: readonly string[];
}

/** The JSON value of `proof`. */
export function proofToJson(proof: Proof): unknown {
  const { opened, listed, absent, image, blind } = proof;
  const entries = [opened, listed, absent, image ?? []].flatMap(byFolder);
  return {
    paths: contentToJson({ bytes: new TextEncoder().encode(entries.join("\0")) }),
    opened: opened.length,
    listed: listed.length,
    absent: absent.length,
    ...(image && { image: image.length }),
    blind,
  };
}

/**
 * Reads a proof from its JSON value; names of one folder follow one another.
 *
 * @throws {FormatError} If it is malformed.
 */
export function proofFromJson(value: unknown): Proof {
  const json = asObject(value, "answer.proof");
  const content = contentFromJson(json.paths, "answer.proof.paths");
  if (!isInline(content)) throw new FormatError("answer.proof.paths", "it must be inline");
  const { bytes } = content;
  const entries = bytes.length > 0
    ? new TextDecoder("utf-8", { fatal: false }).decode(bytes).split("\0")
    : [];
  let at = 0;
  let folder = "";
  const take = (name: string): string[] => {
    const what = `answer.proof.${name}`;
    const paths = new Array<string>(asInteger(json[name], what, 0, entries.length));
    for (let index = 0; index < paths.length; at++) {
      const entry = entries[at];
      if (entry === undefined) throw new FormatError(what, `it has only ${index} paths`);
      if (entry.startsWith("/")) folder = entry;
      else if (folder === "") {
        throw new FormatError(what, `${JSON.stringify(entry)} is in no folder`);
      } else paths[index++] = folder + entry;
    }
    return paths;
  };
  const proof = {
    opened: take("opened"),
    listed: take("listed"),
    absent: take("absent"),
    ...(json.image !== undefined && { image: take("image") }),
    blind: asTexts(json.blind, "answer.proof.blind"),
  };
  if (at < entries.length) {
    throw new FormatError("answer.proof.paths", "the text has paths that no list counts");
  }
  return proof;
}

/** Each folder, and behind it the names in it. */
function byFolder(paths: readonly string[]): string[] {
  const folders = new Map<string, string[]>();
  for (const path of paths) {
    const slash = path.lastIndexOf("/") + 1;
    const folder = path.slice(0, slash);
    const name = path.slice(slash);
    const names = folders.get(folder);
    if (names) names.push(name);
    else folders.set(folder, [name]);
  }
  return [...folders].sort(([a], [b]) => a < b ? -1 : 1)
    .flatMap(([folder, names]) => [folder, ...names.sort()]);
}
