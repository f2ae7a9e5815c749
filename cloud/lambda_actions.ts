/** The actions of the embedded Lambda, by method and path. */
import { FormatError } from "../job/errors.ts";
import { asInteger, asObject, asString, type Json, parseJson } from "../job/json.ts";
import { readImageConfig, resolvedUri } from "./function_image.ts";
import { parseImageUri } from "./images.ts";
import { conflict, invalidParameter, tooLarge } from "./lambda_errors.ts";
import {
  checkChangeable,
  configurationOf,
  functionArn,
  type FunctionRecord,
  type FunctionVersion,
  parseFunctionName,
  readArchitecture,
  readFlag,
  readPackageType,
  readSettable,
  readTags,
  refuseUnknown,
  type Settable,
} from "./lambda_function.ts";
import { invokeFunction, invokeWithResponseStream } from "./lambda_invoke.ts";
import { collectCode, findFunction, type LambdaState } from "./lambda_state.ts";
import { ServiceError, type ServiceRequest } from "./service.ts";

/** Most bytes of a request that carries a .zip file: 50 MiB in base64, and the rest. */
const MAX_UPLOAD_BYTES = 70_167_211;

/** Answers a request that is about the function `name`, which is empty where there is none. */
export type Action = (
  state: LambdaState,
  request: ServiceRequest,
  name: string,
) => Promise<Response>;

/** Method, path with `*` for the function's name, name of the action, and what does it. */
export const ACTIONS: readonly (readonly [string, string, string, Action])[] = [
  ["GET", "2015-03-31/functions", "ListFunctions", listFunctions],
  ["POST", "2015-03-31/functions", "CreateFunction", createFunction],
  ["GET", "2015-03-31/functions/*", "GetFunction", getFunction],
  ["DELETE", "2015-03-31/functions/*", "DeleteFunction", deleteFunction],
  ["GET", "2015-03-31/functions/*/configuration", "GetFunctionConfiguration", getConfiguration],
  [
    "PUT",
    "2015-03-31/functions/*/configuration",
    "UpdateFunctionConfiguration",
    updateConfiguration,
  ],
  ["PUT", "2015-03-31/functions/*/code", "UpdateFunctionCode", updateCode],
  ["POST", "2015-03-31/functions/*/invocations", "InvokeFunction", invokeFunction],
  [
    "POST",
    "2021-11-15/functions/*/response-streaming-invocations",
    // The permission is that of the other one.
    "InvokeFunction",
    invokeWithResponseStream,
  ],
  ["PUT", "2017-10-31/functions/*/concurrency", "PutFunctionConcurrency", putConcurrency],
  ["DELETE", "2017-10-31/functions/*/concurrency", "DeleteFunctionConcurrency", deleteConcurrency],
  ["GET", "2019-09-30/functions/*/concurrency", "GetFunctionConcurrency", getConcurrency],
  ["GET", "2016-08-19/account-settings", "GetAccountSettings", getAccountSettings],
];

function bodyOf(request: ServiceRequest): Json {
  if (request.body.length > MAX_UPLOAD_BYTES) {
    throw tooLarge(
      "RequestEntityTooLargeException",
      `Request must be smaller than ${MAX_UPLOAD_BYTES} bytes for the operation`,
    );
  }
  const text = new TextDecoder().decode(request.body);
  return asObject(parseJson(text === "" ? "{}" : text, "the request"), "the request");
}

async function readZip(state: LambdaState, from: Json): Promise<Uint8Array<ArrayBuffer>> {
  if (from["ZipFile"] !== undefined) {
    try {
      return Uint8Array.fromBase64(asString(from["ZipFile"], "ZipFile"));
    } catch (cause) {
      if (!(cause instanceof SyntaxError)) throw cause;
      throw new FormatError("ZipFile", "it is not base64", { cause });
    }
  }
  if (from["S3Bucket"] === undefined || from["S3Key"] === undefined) {
    throw invalidParameter("Please provide a source for function code.");
  }
  const bucket = asString(from["S3Bucket"], "S3Bucket");
  const zip = await state.deps.readObject(bucket, asString(from["S3Key"], "S3Key"));
  if (zip !== undefined) return zip;
  throw invalidParameter(
    "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified " +
      "key does not exist.",
  );
}

/** What of a version comes from its code. */
type Code = Pick<FunctionVersion, "codeDigest" | "codeSize"> & { readonly imageUri?: string };

async function newCode(state: LambdaState, from: Json, isImage: boolean): Promise<Code> {
  if (isImage) return await findImage(state, from["ImageUri"]);
  const zip = await readZip(state, from);
  return { codeDigest: await state.code.add(zip), codeSize: zip.length };
}

async function findImage({ settings, deps, images }: LambdaState, value: unknown): Promise<Code> {
  if (value === undefined) throw invalidParameter("Please provide a source for function code.");
  const imageUri = asString(value, "ImageUri");
  const uri = parseImageUri(imageUri);
  const registry = `${settings.accountId}.dkr.ecr.${settings.region}.amazonaws.com`;
  if (uri?.registry !== registry) {
    throw invalidParameter(`Source image ${imageUri} is not valid. Provide a valid source image.`);
  }
  const image = deps.repositoryExists(uri.repository)
    ? await images.find(uri.repository, uri.reference)
    : undefined;
  if (image === undefined) {
    throw invalidParameter(
      `Source image ${imageUri} does not exist. Provide a valid source image.`,
    );
  }
  return { codeDigest: image.digest, codeSize: 0, imageUri };
}

function listFunctions(state: LambdaState, request: ServiceRequest): Promise<Response> {
  const { settings, table } = state;
  const limit = Math.min(50, Math.max(1, Number(request.query.get("MaxItems") ?? "50") || 50));
  const after = request.query.get("Marker") ?? "";
  const names = [...table.records.keys()].sort().filter((name) => name > after);
  const shown = names.slice(0, limit);
  return Promise.resolve(Response.json({
    Functions: shown.map((name) => configurationOf(findFunction(state, name), settings)),
    ...(names.length > limit ? { NextMarker: shown.at(-1) } : {}),
  }));
}

function createFunction(state: LambdaState, request: ServiceRequest): Promise<Response> {
  const { settings, table, deps } = state;
  const body = bodyOf(request);
  const { name } = parseFunctionName(asString(body["FunctionName"], "FunctionName"));
  refuseUnknown(body);
  const set = readSettable(body, (arn) => deps.roleExists(arn));
  const { role } = set;
  if (role === undefined) throw new FormatError("the request", "it has no 'Role'");
  const isImage = readPackageType(body["PackageType"]) === "Image";
  if (isImage) refuseRuntime(set);
  if (!isImage && (set.runtime === undefined || set.handler === undefined)) {
    throw invalidParameter(
      "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
    );
  }
  const architecture = readArchitecture(body["Architectures"]);
  const tags = readTags(body["Tags"]);
  return state.exclusive(async () => {
    if (table.records.has(name)) throw conflict(`Function already exist: ${name}`);
    const { imageUri, ...made } = await newCode(
      state,
      asObject(body["Code"] ?? {}, "Code"),
      isImage,
    );
    const nowMs = settings.now();
    const record: FunctionRecord = {
      name,
      current: {
        ...{ description: "", timeoutSeconds: 3, memoryMb: 128, tmpMb: 512, environment: {} },
        ...set,
        ...{ role, architecture },
        ...made,
        ...(imageUri !== undefined && {
          image: { uri: imageUri, ...readImageConfig(body["ImageConfig"]) },
        }),
        revisionId: crypto.randomUUID(),
        modifiedMs: nowMs,
      },
      readyMs: nowMs + pendingMs(state),
      tags,
    };
    await table.put(name, record);
    state.background(state.seal.get());
    return Response.json(configurationOf(record, settings), { status: 201 });
  });
}

function refuseRuntime({ runtime, handler }: Partial<Settable>): void {
  if (runtime === undefined && handler === undefined) return;
  throw invalidParameter(
    "Please don't provide Handler or Runtime or Layer when the intended function PackageType is " +
      "Image.",
  );
}

function pendingMs(state: LambdaState): number {
  return state.options.pendingMs ?? 200;
}

function getFunction(
  state: LambdaState,
  _request: ServiceRequest,
  name: string,
): Promise<Response> {
  const record = findFunction(state, name);
  const { image, codeDigest } = record.current;
  return Promise.resolve(Response.json({
    Configuration: configurationOf(record, state.settings),
    Code: image === undefined ? { RepositoryType: "S3" } : {
      RepositoryType: "ECR",
      ImageUri: image.uri,
      ResolvedImageUri: resolvedUri(image.uri, codeDigest),
    },
    ...(Object.keys(record.tags).length === 0 ? {} : { Tags: record.tags }),
    ...(record.reserved === undefined
      ? {}
      : { Concurrency: { ReservedConcurrentExecutions: record.reserved } }),
  }));
}

function getConfiguration(
  state: LambdaState,
  _request: ServiceRequest,
  name: string,
): Promise<Response> {
  return Promise.resolve(Response.json(configurationOf(findFunction(state, name), state.settings)));
}

function deleteFunction(
  state: LambdaState,
  _request: ServiceRequest,
  name: string,
): Promise<Response> {
  return state.exclusive(async () => {
    findFunction(state, name);
    await state.table.remove(name);
    state.pool.retire(name);
    await collectCode(state);
    return new Response(null, { status: 204 });
  });
}

function updateConfiguration(
  state: LambdaState,
  request: ServiceRequest,
  name: string,
): Promise<Response> {
  const body = bodyOf(request);
  refuseUnknown(body);
  const set = readSettable(body, (arn) => state.deps.roleExists(arn));
  return state.exclusive(async () => {
    const { image } = findFunction(state, name).current;
    if (image) refuseRuntime(set);
    const isRead = image !== undefined && body["ImageConfig"] !== undefined;
    const record = await changed(state, name, body, {
      ...set,
      ...(isRead && { image: { uri: image.uri, ...readImageConfig(body["ImageConfig"]) } }),
    });
    return Response.json(configurationOf(record, state.settings));
  });
}

function updateCode(state: LambdaState, request: ServiceRequest, name: string): Promise<Response> {
  const body = bodyOf(request);
  refuseUnknown(body);
  const dryRun = readFlag(body["DryRun"], "DryRun");
  return state.exclusive(async () => {
    const before = findFunction(state, name);
    checkChangeable(before, functionArn(name, state.settings), state.settings.now());
    const architecture = body["Architectures"] === undefined
      ? {}
      : { architecture: readArchitecture(body["Architectures"]) };
    const { image } = before.current;
    const { imageUri, ...made } = await newCode(state, checkedSource(body, image), !!image);
    const set = {
      ...made,
      ...architecture,
      ...(imageUri !== undefined && { image: { ...image, uri: imageUri } }),
    };
    if (dryRun) {
      await collectCode(state);
      const after = { ...before, current: { ...before.current, ...set } };
      return Response.json(configurationOf(after, state.settings));
    }
    const record = await changed(state, name, body, set);
    return Response.json(configurationOf(record, state.settings));
  });
}

/** The request if its code is of the function's kind. */
function checkedSource(body: Json, image: FunctionVersion["image"]): Json {
  if (image !== undefined && body["ImageUri"] === undefined) {
    throw invalidParameter(
      "Please provide ImageUri when updating a function with packageType Image.",
    );
  }
  if (image === undefined && body["ImageUri"] !== undefined) {
    throw invalidParameter(
      "Please don't provide ImageUri when updating a function with packageType Zip.",
    );
  }
  return body;
}

/** Stores a function with another configuration or other code. */
async function changed(
  state: LambdaState,
  name: string,
  body: Json,
  set: Partial<Settable & FunctionVersion>,
): Promise<FunctionRecord> {
  const { settings, table } = state;
  const nowMs = settings.now();
  const before = findFunction(state, name);
  checkChangeable(before, functionArn(name, settings), nowMs);
  const expected = body["RevisionId"];
  if (expected !== undefined && expected !== before.current.revisionId) {
    throw new ServiceError(
      412,
      "PreconditionFailedException",
      "The RevisionId provided does not match the latest RevisionId. Call the " +
        "GetFunction/GetAlias API to retrieve the latest RevisionId",
    );
  }
  const after: FunctionRecord = {
    ...before,
    previous: before.current,
    current: {
      ...before.current,
      ...set,
      revisionId: crypto.randomUUID(),
      modifiedMs: nowMs,
    },
    readyMs: nowMs + pendingMs(state),
  };
  await table.put(name, after);
  await collectCode(state);
  return after;
}

function putConcurrency(
  state: LambdaState,
  request: ServiceRequest,
  name: string,
): Promise<Response> {
  const wanted = bodyOf(request)["ReservedConcurrentExecutions"];
  const reserved = asInteger(wanted, "ReservedConcurrentExecutions");
  return state.exclusive(async () => {
    await state.table.put(name, { ...findFunction(state, name), reserved });
    return Response.json({ ReservedConcurrentExecutions: reserved });
  });
}

function deleteConcurrency(
  state: LambdaState,
  _request: ServiceRequest,
  name: string,
): Promise<Response> {
  return state.exclusive(async () => {
    const { reserved: _reserved, ...record } = findFunction(state, name);
    await state.table.put(name, record);
    return new Response(null, { status: 204 });
  });
}

function getConcurrency(
  state: LambdaState,
  _request: ServiceRequest,
  name: string,
): Promise<Response> {
  const { reserved } = findFunction(state, name);
  return Promise.resolve(
    Response.json(reserved === undefined ? {} : { ReservedConcurrentExecutions: reserved }),
  );
}

function getAccountSettings(state: LambdaState): Promise<Response> {
  const concurrency = state.options.accountConcurrency ?? 1000;
  const records = [...state.table.records.values()];
  const reserved = records.reduce((sum, record) => sum + (record.reserved ?? 0), 0);
  return Promise.resolve(Response.json({
    AccountLimit: {
      TotalCodeSize: 80_530_636_800,
      CodeSizeUnzipped: 262_144_000,
      CodeSizeZipped: 52_428_800,
      ConcurrentExecutions: concurrency,
      UnreservedConcurrentExecutions: concurrency - reserved,
    },
    AccountUsage: {
      TotalCodeSize: records.reduce((sum, record) => sum + record.current.codeSize, 0),
      FunctionCount: records.length,
    },
  }));
}
