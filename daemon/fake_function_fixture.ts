/** Stand-ins for a function and an object store, in memory, for tests of what the daemon does with them. */
import type { AwsAccount } from "../aws/account.ts";
import type { AwsClient, AwsRequest } from "../aws/client.ts";
import { type Digest, digestOf } from "../job/digest.ts";
import { LlamaError } from "../job/errors.ts";
import { decodePack } from "../job/pack.ts";
import { answerToJson, type JobAnswer, type JobResult } from "../job/result.ts";
import { type JobSpec, specFromJson } from "../job/spec.ts";
import type { ObjectStore } from "../store/object_store.ts";

/** What Lambda makes of a run: the runtime's answer, any JSON in its place, or a function error. */
export type FakeReply =
  | JobAnswer
  | { readonly json: unknown }
  | { readonly functionError: string; readonly payload: string };

/** A function whose answers are written by hand. */
export interface FakeFunction {
  /** A client whose only service is this function. */
  readonly client: AwsClient;
  /** The jobs so far, in order. */
  readonly jobs: readonly JobSpec[];
  /** The requests so far, in order. */
  readonly requests: readonly AwsRequest[];
}

const ACCOUNT: AwsAccount = {
  kind: "aws",
  region: "eu-west-1",
  credentials: () => Promise.resolve({ accessKeyId: "AKID", secretAccessKey: "secret" }),
  endpoint: () => undefined,
  source: { region: "test", credentials: "test", endpoint: "test" },
};

/** Makes a function that answers each job by `answer`; `nth` counts from 1. */
export function fakeFunction(
  answer: (spec: JobSpec, nth: number) => FakeReply | Promise<FakeReply>,
): FakeFunction {
  const jobs: JobSpec[] = [];
  const requests: AwsRequest[] = [];
  const client: AwsClient = {
    account: ACCOUNT,
    counters: { requests: 0, retries: 0, throttles: 0, bytesSent: 0, bytesReceived: 0 },
    send: async (request) => {
      requests.push(request);
      const { body = "" } = request;
      const text = typeof body === "string" ? body : new TextDecoder().decode(body);
      const spec = specFromJson(JSON.parse(text));
      jobs.push(spec);
      const reply = await answer(spec, jobs.length);
      const headers = new Headers({ "x-amzn-requestid": `request-${jobs.length}` });
      if ("functionError" in reply) headers.set("x-amz-function-error", reply.functionError);
      const payload = "functionError" in reply
        ? reply.payload
        : JSON.stringify("json" in reply ? reply.json : answerToJson(reply));
      return { status: 200, headers, body: new TextEncoder().encode(payload) };
    },
  };
  return { client, jobs, requests };
}

/** The result of a command that ended well and printed nothing, with `change`. */
export function doneWith(change: Partial<JobResult> = {}): JobResult {
  return {
    kind: "done",
    status: { kind: "exit", code: 0 },
    stdout: { bytes: new Uint8Array() },
    stderr: { bytes: new Uint8Array() },
    outputs: [],
    timings: { fetchMs: 0, layoutMs: 0, runMs: 7, collectMs: 0 },
    usage: { userMs: 0, systemMs: 0, maxRssBytes: 0 },
    cold: false,
    ...change,
  };
}

/** A store in memory. */
export interface MemoryStore extends ObjectStore {
  /** Its objects and packs. */
  readonly kept: Map<Digest, Uint8Array<ArrayBuffer>>;
  /** Digests of each put so far; those of a pack's objects together. */
  readonly puts: readonly (readonly Digest[])[];
  /** Is called before each put and may hold it up or fail it. */
  beforePut: () => Promise<void>;
}

/** Creates an empty store. */
export function memoryStore(): MemoryStore {
  const kept = new Map<Digest, Uint8Array<ArrayBuffer>>();
  const puts: Digest[][] = [];
  const answers = new Map<string, Uint8Array<ArrayBuffer>>();
  const write = async (bytes: Uint8Array<ArrayBuffer>, digests?: Digest[]) => {
    const digest = await digestOf(bytes);
    puts.push(digests ?? [digest]);
    await store.beforePut();
    kept.set(digest, bytes);
    return digest;
  };
  const store: MemoryStore = {
    url: "s3://memory/",
    kept,
    puts,
    beforePut: () => Promise.resolve(),
    put: (bytes) => write(bytes),
    putPack: (pack) => write(pack, Array.from(decodePack(pack), ({ digest }) => digest)),
    repair: (bytes) => write(bytes),
    get: (digest) => {
      const bytes = kept.get(digest);
      return bytes
        ? Promise.resolve(bytes)
        : Promise.reject(new LlamaError("ObjectMissing", `Cannot read the object ${digest}`));
    },
    has: (digest) => Promise.resolve(kept.has(digest)),
    putFile: async (_digest, path) => void await write(await Deno.readFile(path)),
    take: async (digest, take) => {
      const bytes = await store.get(digest);
      await take(bytes);
      return bytes.length;
    },
    putAnswer: (name, bytes) => Promise.resolve(void answers.set(name, bytes)),
    getAnswer: (name) => Promise.resolve(answers.get(name)),
    counters: {
      puts: 0,
      present: 0,
      gets: 0,
      cached: 0,
      corrupt: 0,
      cacheErrors: 0,
      bytesPut: 0,
      bytesSent: 0,
      bytesGot: 0,
    },
  };
  return store;
}
