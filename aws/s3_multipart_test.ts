import { assertEquals, assertRejects } from "@std/assert";
import { FormatError } from "../job/errors.ts";
import { createAwsClient } from "./client.ts";
import { AwsError } from "./error.ts";
import { getObjectRange, type Part, putObjectParts } from "./s3_multipart.ts";
import { type StubAnswer, type StubRequest, withStub } from "./stub_service_fixture.ts";

const NAME = { bucket: "b", key: "obj/1" };
const QUICK = { sleep: () => Promise.resolve() };
const CREATED =
  "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>";
const COMPLETED = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>";

async function* parts(count: number, released: number[] = []): AsyncGenerator<Part> {
  for (let number = 1; number <= count; number++) {
    const bytes = new Uint8Array([number]);
    const digest = await crypto.subtle.digest("SHA-256", bytes);
    yield { bytes, sha256: new Uint8Array(digest).toHex(), release: () => released.push(number) };
  }
}

/** What a request is, by its method and query. */
function kindOf({ method, target }: StubRequest): string {
  return `${method} ${target.replace(/^.*\?/, "")}`;
}

/** A service in which everything goes well, but for what `change` answers. */
function s3(change: (kind: string) => StubAnswer | undefined = () => undefined) {
  return (request: StubRequest): StubAnswer => {
    const kind = kindOf(request);
    const changed = change(kind);
    if (changed !== undefined) return changed;
    if (kind.endsWith("uploads=")) return { body: CREATED };
    if (request.method === "PUT") return { headers: { etag: `"e${request.body[0]}"` } };
    return request.method === "DELETE" ? { status: 204 } : { body: COMPLETED };
  };
}

Deno.test("putObjectParts() sends parts and names them in their order", async () => {
  await withStub(s3(), async ({ account, seen }) => {
    const released: number[] = [];
    const client = createAwsClient(account);
    const put = await putObjectParts(client, { ...NAME, ifAbsent: true }, parts(7, released));
    assertEquals(put, { created: true });
    assertEquals(released.toSorted(), [1, 2, 3, 4, 5, 6, 7]);
    const kinds = seen.map(kindOf);
    assertEquals([kinds[0], kinds.at(-1)], ["POST uploads=", "POST uploadId=u%2F1"]);
    assertEquals(kinds.length, 9);
    const last = seen.at(-1);
    assertEquals(last?.headers.get("if-none-match"), "*");
    const numbers = [1, 2, 3, 4, 5, 6, 7].map((number) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>"e${number}"</ETag></Part>`
    );
    assertEquals(
      new TextDecoder().decode(last?.body),
      `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${
        numbers.join("")
      }</CompleteMultipartUpload>`,
    );
  });
});

Deno.test("putObjectParts() removes what was sent where the key was taken", async () => {
  const taken = s3((kind) =>
    kind.startsWith("POST uploadId")
      ? { status: 412, body: "<Error><Code>PreconditionFailed</Code></Error>" }
      : undefined
  );
  await withStub(taken, async ({ account, seen }) => {
    const put = await putObjectParts(
      createAwsClient(account),
      { ...NAME, ifAbsent: true },
      parts(1),
    );
    assertEquals(put, { created: false });
    assertEquals(seen.map(kindOf).at(-1), "DELETE uploadId=u%2F1");
  });
});

Deno.test("putObjectParts() removes what was sent when a part, the source or the end fails", async () => {
  const denied = { status: 403, body: "<Error><Code>AccessDenied</Code></Error>" };
  const cases = [
    (kind: string) => kind.startsWith("PUT partNumber=2") ? denied : undefined,
    // A status of 200 with an error in the body.
    (kind: string) =>
      kind.startsWith("POST uploadId")
        ? { body: "<Error><Code>InternalError</Code></Error>" }
        : undefined,
  ];
  for (const change of cases) {
    await withStub(s3(change), async ({ account, seen }) => {
      const act = () => putObjectParts(createAwsClient(account, QUICK), NAME, parts(9));
      const error = await assertRejects(act);
      assertEquals(error instanceof AwsError || error instanceof FormatError, true, `${error}`);
      assertEquals(seen.filter(({ method }) => method === "DELETE").length, 1);
    });
  }
  await withStub(s3(), async ({ account, seen }) => {
    const broken = async function* () {
      yield* parts(1);
      throw new Deno.errors.NotFound("gone");
    };
    const act = () => putObjectParts(createAwsClient(account), NAME, broken());
    await assertRejects(act, Deno.errors.NotFound, "gone");
    assertEquals(seen.filter(({ method }) => method === "DELETE").length, 1);
  });
});

Deno.test("getObjectRange() fills the buffer anew when an attempt breaks, and checks what comes", async () => {
  const range = { "content-range": "bytes 2-4/5" };
  const answers: StubAnswer[] = ["cut off", { status: 206, headers: range, body: "cde" }];
  await withStub(() => answers.shift() ?? "reset", async ({ account, seen }) => {
    const buffer = new Uint8Array(20);
    const { body, size } = await getObjectRange(createAwsClient(account, QUICK), NAME, 2, buffer);
    assertEquals([new TextDecoder().decode(body), size, seen.length], ["cde", 5, 2]);
    assertEquals(seen[1]?.headers.get("range"), "bytes=2-21");
  });
  for (const bad of [{ status: 206, headers: range, body: "cdef" }, { body: "cde" }]) {
    await withStub(() => bad, async ({ account }) => {
      const act = () => getObjectRange(createAwsClient(account), NAME, 2, new Uint8Array(3));
      await assertRejects(act, FormatError);
    });
  }
});
