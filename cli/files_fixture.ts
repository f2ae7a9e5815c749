/** Folders for tests of what reads and writes files. */

/** Runs a test in a fresh folder. */
export async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "llama-files-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The tree below `folder`: kind, permissions and contents by path. */
export function treeOf(folder: string, prefix = ""): Record<string, string> {
  const tree: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(folder)) {
    const path = `${folder}/${name}`;
    const info = Deno.lstatSync(path);
    const mode = ((info.mode ?? 0) & 0o777).toString(8);
    if (info.isSymlink) tree[prefix + name] = `-> ${Deno.readLinkSync(path)}`;
    else if (info.isFile) tree[prefix + name] = `${mode} ${Deno.readTextFileSync(path)}`;
    else {
      tree[prefix + name] = `${mode}/`;
      Object.assign(tree, treeOf(path, `${prefix}${name}/`));
    }
  }
  return tree;
}
