/** Runs a test with a path at which nothing is, in a folder that is removed afterwards. */
export async function atNewPath(
  name: string,
  test: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
