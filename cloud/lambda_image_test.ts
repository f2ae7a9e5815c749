import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { addImage, canRunImages, putFiles, withLibraries } from "./image_fixture.ts";
import { BOOTSTRAP, ROLE, withLambda } from "./lambda_fixture.ts";

const functions = "/2015-03-31/functions";
const REPOSITORY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/team/gcc";

const test = await canRunImages() ? Deno.test : Deno.test.ignore;

/** Adds an image whose function is that of lambda_fixture.ts; `word` stands in a file of it. */
function addShell(directory: string, tag: string, word: string): Promise<string> {
  const config = { entryPoint: ["/bin/bash", "/opt/start"], env: ["WORD=image", "OTHER=image"] };
  return addImage(directory, { repository: "team/gcc", tag }, config, async (root) => {
    await putFiles(root, await withLibraries(["/bin/bash", "/bin/cat", "/usr/bin/wc"]));
    await Deno.mkdir(`${root}/opt`);
    await Deno.writeTextFile(`${root}/opt/start`, BOOTSTRAP);
    await Deno.writeTextFile(`${root}/opt/word`, word);
    for (const path of ["", "/start", "/word"]) await Deno.chmod(`${root}/opt${path}`, 0o755);
  });
}

function newFunction(imageUri: string, more: Record<string, unknown> = {}) {
  return {
    FunctionName: "f",
    PackageType: "Image",
    Role: ROLE,
    Code: { ImageUri: imageUri },
    Environment: { Variables: { WORD: "function" } },
    ...more,
  };
}

test("a function of an image runs in it, and what tells of the function says so", async () => {
  await withLambda({ repositories: ["team/gcc"] }, async ({ directory, send, run }) => {
    const digest = await addShell(directory, "v1", "one");
    const created = await send("POST", functions, newFunction(`${REPOSITORY}:v1`));
    assertEquals([created.status, created.text.includes('Runtime"')], [201, false]);
    const { PackageType, CodeSize, CodeSha256, Handler, ImageConfigResponse } = created.json;
    assertEquals(
      { PackageType, CodeSize, CodeSha256, Handler, ImageConfigResponse },
      {
        PackageType: "Image",
        CodeSize: 0,
        CodeSha256: digest,
        Handler: undefined,
        ImageConfigResponse: undefined,
      },
    );
    const got = await send("GET", `${functions}/f`);
    assertEquals(got.json["Configuration"], created.json);
    assertEquals(got.json["Code"], {
      RepositoryType: "ECR",
      ImageUri: `${REPOSITORY}:v1`,
      ResolvedImageUri: `${REPOSITORY}@sha256:${digest}`,
    });
    const answer = await run("f", "cat /opt/word; echo $WORD,$OTHER,$_HANDLER,$PWD; echo /*");
    assertEquals(
      answer.text,
      "onefunction,image,,/\n/bin /dev /etc /lib /lib64 /opt /proc /tmp /usr\n",
    );
  });
});

test("a function of an image keeps it when its tag moves, until it is updated", async () => {
  const directory = await Deno.makeTempDir();
  const options = { repositories: ["team/gcc"], directory };
  await withLambda(options, async ({ send, run }) => {
    await addShell(directory, "v1", "one");
    await send("POST", functions, newFunction(`${REPOSITORY}:v1`));
    assertEquals((await run("f", "cat /opt/word")).text, "one");
    const second = await addShell(directory, "v1", "two");
    const code = { ImageUri: `${REPOSITORY}:v1` };
    assertEquals((await run("f", "cat /opt/word")).text, "one");
    assertEquals((await send("PUT", `${functions}/f/code`, code)).json["CodeSha256"], second);
    assertEquals((await run("f", "cat /opt/word")).text, "two");
    const ImageConfig = { WorkingDirectory: "/opt", Command: ["x"] };
    const set = await send("PUT", `${functions}/f/configuration`, { ImageConfig });
    assertEquals(set.json["ImageConfigResponse"], { ImageConfig });
    assertEquals((await run("f", "echo $PWD")).text, "/opt\n");
  });
  await withLambda(options, async ({ send, run }) => {
    assertEquals((await run("f", "cat word")).text, "two");
    await Deno.remove(`${directory}/images`, { recursive: true });
    await send("PUT", `${functions}/f/configuration`, { Timeout: 5 });
    assertMatch((await run("f", "true")).text, /InvalidEntrypoint.*no longer there/);
  });
  await Deno.remove(directory, { recursive: true });
});

Deno.test("what is no image of this account, or not there, makes no function", async () => {
  await withLambda({ repositories: ["team/gcc"] }, async ({ directory, create, send }) => {
    await addShell(directory, "v1", "one");
    const refused: [string, string][] = [
      [`${REPOSITORY}:v2`, "does not exist. Provide a valid source image."],
      [`${REPOSITORY}s:v1`, "does not exist. Provide a valid source image."],
      [`${REPOSITORY}@sha256:${"0".repeat(64)}`, "does not exist. Provide a valid source image."],
      [REPOSITORY, "is not valid. Provide a valid source image."],
      ["gcc:12", "is not valid. Provide a valid source image."],
      [REPOSITORY.replace("0", "1") + ":v1", "is not valid. Provide a valid source image."],
    ];
    for (const [uri, message] of refused) {
      const answer = await send("POST", functions, newFunction(uri));
      assertEquals([answer.error, answer.text], [
        "InvalidParameterValueException",
        `Source image ${uri} ${message}`,
      ]);
    }
    const none = await send("POST", functions, newFunction("", { Code: { ZipFile: "" } }));
    assertStringIncludes(none.text, "provide a source");
    await create("zip");
    const asImage = await send("PUT", `${functions}/zip/code`, { ImageUri: `${REPOSITORY}:v1` });
    assertStringIncludes(asImage.text, "don't provide ImageUri");
    await send("POST", functions, newFunction(`${REPOSITORY}:v1`));
    const asZip = await send("PUT", `${functions}/f/code`, { ZipFile: "" });
    assertStringIncludes(asZip.text, "Please provide ImageUri");
    const named = await send("PUT", `${functions}/f/configuration`, { Handler: "main" });
    assertStringIncludes(named.text, "don't provide Handler");
  });
});

Deno.test("an image does not run where workers are not sealed", async () => {
  await withLambda({ repositories: ["team/gcc"], ways: [] }, async ({ directory, send, run }) => {
    await addShell(directory, "v1", "one");
    await send("POST", functions, newFunction(`${REPOSITORY}:v1`));
    assertMatch((await run("f", "true")).text, /InvalidEntrypoint.*cannot seal workers/);
  });
});
