/** Removes a folder and all below it, whatever permissions a job took from its folders. */
export function removeTree(path: string): void {
  try {
    removeIfThere(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) throw error;
    openFolders(path);
    removeIfThere(path);
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function openFolders(path: string): void {
  if (!Deno.lstatSync(path).isDirectory) return;
  Deno.chmodSync(path, 0o700);
  for (const { name, isDirectory } of Deno.readDirSync(path)) {
    if (isDirectory) openFolders(`${path}/${name}`);
  }
}
