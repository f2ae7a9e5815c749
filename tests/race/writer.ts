/**
 * Changes a tree while compilers read it. Each change is one system call that others can see, so the states of the
 * tree are known, all that there were.
 */
import type { Random } from "../fuzz/random.ts";
import { headerPath, type Item, type Texts, type Tree } from "./tree.ts";

/** A state of the tree, in force from some moment between the two times on; milliseconds of performance.now(). */
export interface State {
  readonly tree: Tree;
  readonly notBefore: number;
  readonly notAfter: number;
  /** What made it. */
  readonly change: string;
}

/** Writes to one tree. */
export interface Writer {
  /** All states so far. */
  readonly states: readonly State[];
  /** Makes a change, or a few that belong together. */
  change(): void;
}

/** Opens a writer for the tree in `folder`; `aside` is a folder beside it. */
export function openWriter(
  folder: string,
  aside: string,
  begin: ReadonlyMap<string, Item | "folder">,
  random: Random,
  texts: Texts,
): Writer {
  const tree = new Map(begin);
  const states: State[] = [{
    tree: new Map(tree),
    notBefore: -Infinity,
    notAfter: -Infinity,
    change: "",
  }];

  const step = (change: string, call: () => void, model: () => void) => {
    const notBefore = performance.now();
    call();
    const notAfter = performance.now();
    model();
    states.push({ tree: new Map(tree), notBefore, notAfter, change });
  };
  const at = (path: string) => `${folder}/${path}`;
  const isThere = (path: string) => tree.has(path.slice(0, path.indexOf("/")));

  const put = (path: string, item: Item) => {
    const made = `${aside}/made`;
    if ("text" in item) Deno.writeTextFileSync(made, item.text);
    else Deno.symlinkSync(item.target, made);
    if ("text" in item && random.chance(0.3)) {
      // As old as the file that it replaces.
      Deno.utimeSync(made, 1_600_000_000, 1_600_000_000);
    }
    step(`put ${path}`, () => Deno.renameSync(made, at(path)), () => tree.set(path, item));
  };

  const writeInto = (path: string, text: string) => {
    const item = tree.get(path);
    if (!item || item === "folder" || !("text" in item)) return put(path, { text });
    step(`empty ${path}`, () => Deno.truncateSync(at(path), 0), () => tree.set(path, { text: "" }));
    using file = Deno.openSync(at(path), { write: true });
    const bytes = new TextEncoder().encode(text);
    step(`fill ${path}`, () => file.writeSync(bytes), () => tree.set(path, { text }));
  };

  const remove = (path: string) => {
    if (!tree.has(path)) return;
    step(`remove ${path}`, () => Deno.removeSync(at(path)), () => tree.delete(path));
  };

  const move = (from: string, to: string) => {
    step(`move ${from} ${to}`, () => Deno.renameSync(at(from), at(to)), () => {
      for (const [path, item] of [...tree]) {
        if (path !== from && !path.startsWith(`${from}/`)) continue;
        tree.delete(path);
        tree.set(to + path.slice(from.length), item);
      }
    });
  };

  return {
    states,
    change: () => {
      const { path, number } = headerPath(random);
      if (!isThere(path)) return;
      random.weighted<() => void>([
        [6, () => put(path, { text: texts.header(number) })],
        [3, () => writeInto(path, texts.header(number))],
        [4, () => remove(path)],
        // Never in a circle, of which no proof can be had.
        [path.startsWith("last/") ? 0 : 2, () => put(path, { target: `../last/h${number}.h` })],
        [2, () => put("way", { target: random.pick(["far1", "far2", "none"]) })],
        [1, () => {
          const [one, other] = random.shuffled(["one", "two", "quote"]);
          if (one === undefined || other === undefined) return;
          move(one, "t");
          move(other, one);
          move("t", other);
        }],
        [1, () => {
          const folder = random.pick(["one", "quote", "far1"]);
          move(folder, "away");
          move("away", folder);
        }],
      ])();
    },
  };
}
