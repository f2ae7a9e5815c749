/**
 * The types of resources that the embedded CloudFormation can make. `create` is asked again after a
 * kill, so it must bear to find its work done; whether the name was free is asked before, by `taken`.
 */
import { asArray, asObject, asString, type Json } from "../job/json.ts";
import type { Repository } from "./ecr_repositories.ts";
import type { Roles } from "./iam_roles.ts";
import { parsePolicy } from "./policy.ts";
import { S3_NAMESPACE } from "./rest_xml.ts";
import type { S3 } from "./s3.ts";
import { configure } from "./s3_configuration.ts";
import type { CloudSettings } from "./service.ts";
import type { Table } from "./state.ts";
import { document, element, textElement } from "./xml.ts";

/** What the types make their resources of. */
export interface ResourceServices {
  /** What all services share. */
  readonly settings: CloudSettings;
  /** Buckets. */
  readonly s3: S3;
  /** Roles. */
  readonly roles: Roles;
  /** Repositories. */
  readonly repositories: Table<Repository>;
}

/** How to make resources of one type. */
export interface ResourceType {
  /** Properties that are taken. */
  readonly properties: readonly string[];
  /** Properties that cannot change but by making another resource. */
  readonly immutable: readonly string[];
  /** The physical name that the properties ask for; undefined to have one made up. */
  nameOf(properties: Json): string | undefined;
  /** Why the name cannot be had, undefined if it can. */
  taken(name: string): string | undefined;
  /** Makes the resource, or brings one that is there up to the properties. */
  put(name: string, properties: Json): Promise<Record<string, string>>;
  /** Removes the resource; none there is no error. */
  remove(name: string, properties: Json): Promise<void>;
}

function text(properties: Json, name: string): string | undefined {
  const value = properties[name];
  return value === undefined ? undefined : asString(value, name);
}

/** The types by name. */
export function createResourceTypes(
  services: ResourceServices,
): ReadonlyMap<string, ResourceType> {
  const { settings, s3, roles, repositories } = services;
  const { accountId, region } = settings;

  const bucket: ResourceType = {
    properties: [
      "BucketEncryption",
      "BucketName",
      "LifecycleConfiguration",
      "OwnershipControls",
      "PublicAccessBlockConfiguration",
      "Tags",
      "VersioningConfiguration",
    ],
    immutable: ["BucketName"],
    nameOf: (properties) => text(properties, "BucketName"),
    taken: (name) => s3.buckets.records.has(name) ? `${name} already exists` : undefined,
    async put(name, properties) {
      await s3.createBucket(name);
      const made = s3.buckets.find(name);
      if (made === undefined) throw new TypeError(`The bucket '${name}' was not made`);
      await configure(s3.buckets, made, bucketConfiguration(properties));
      return {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: `${name}.s3.amazonaws.com`,
        RegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
        DualStackDomainName: `${name}.s3.dualstack.${region}.amazonaws.com`,
        WebsiteURL: `http://${name}.s3-website-${region}.amazonaws.com`,
      };
    },
    remove: (name) => s3.buckets.remove(name),
  };

  const bucketPolicy: ResourceType = {
    properties: ["Bucket", "PolicyDocument"],
    immutable: ["Bucket"],
    nameOf: (properties) => asString(properties["Bucket"], "Bucket"),
    taken: (name) =>
      s3.buckets.records.get(name)?.configuration["policy"] === undefined
        ? undefined
        : "The bucket policy already exists on bucket " + name,
    async put(name, properties) {
      const target = s3.buckets.find(name);
      if (target === undefined) throw new Error("The specified bucket does not exist");
      const policy = asObject(properties["PolicyDocument"], "PolicyDocument");
      parsePolicy(policy, "PolicyDocument");
      await configure(s3.buckets, target, { policy: JSON.stringify(policy) });
      return {};
    },
    async remove(name) {
      const target = s3.buckets.find(name);
      if (target !== undefined) await configure(s3.buckets, target, { policy: undefined });
    },
  };

  const repository: ResourceType = {
    properties: [
      "EmptyOnDelete",
      "EncryptionConfiguration",
      "ImageScanningConfiguration",
      "ImageTagMutability",
      "LifecyclePolicy",
      "RepositoryName",
      "RepositoryPolicyText",
      "Tags",
    ],
    immutable: ["RepositoryName", "EncryptionConfiguration"],
    nameOf: (properties) => text(properties, "RepositoryName"),
    taken: (name) =>
      repositories.records.has(name)
        ? `Resource of type 'AWS::ECR::Repository' with identifier '${name}' already exists.`
        : undefined,
    async put(name, properties) {
      const createdMs = repositories.records.get(name)?.createdMs ?? settings.now();
      await repositories.put(name, { name, createdMs, properties });
      return {
        Arn: `arn:aws:ecr:${region}:${accountId}:repository/${name}`,
        RepositoryUri: `${accountId}.dkr.ecr.${region}.amazonaws.com/${name}`,
      };
    },
    remove: (name) => repositories.remove(name),
  };

  const role: ResourceType = {
    properties: [
      "AssumeRolePolicyDocument",
      "Description",
      "ManagedPolicyArns",
      "MaxSessionDuration",
      "Path",
      "Policies",
      "RoleName",
      "Tags",
    ],
    immutable: ["RoleName", "Path"],
    nameOf: (properties) => text(properties, "RoleName"),
    taken: (name) =>
      roles.table.records.has(name) ? `Role with name ${name} already exists.` : undefined,
    async put(name, properties) {
      const policies: Record<string, unknown> = {};
      for (const item of asArray(properties["Policies"] ?? [], "Policies")) {
        const policy = asObject(item, "Policies");
        const policyName = asString(policy["PolicyName"], "PolicyName");
        parsePolicy(policy["PolicyDocument"], policyName);
        policies[policyName] = policy["PolicyDocument"];
      }
      const before = roles.table.records.get(name);
      const made = {
        name,
        path: text(properties, "Path") ?? "/",
        id: before?.id ?? `AROA${randomLetters(17)}`,
        assumeRolePolicy: asObject(
          properties["AssumeRolePolicyDocument"],
          "AssumeRolePolicyDocument",
        ),
        policies,
        createdMs: before?.createdMs ?? settings.now(),
      };
      await roles.table.put(name, made);
      return { Arn: roles.arnOf(made), RoleId: made.id };
    },
    remove: (name) => roles.table.remove(name),
  };

  return new Map([
    ["AWS::ECR::Repository", repository],
    ["AWS::IAM::Role", role],
    ["AWS::S3::Bucket", bucket],
    ["AWS::S3::BucketPolicy", bucketPolicy],
  ]);
}

/** Capital letters and digits that nobody can guess. */
export function randomLetters(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from(
    crypto.getRandomValues(new Uint8Array(length)),
    (byte) => letters[byte & 31],
  ).join("");
}

/** A bucket's properties as the sub-resources that S3 gives back. */
function bucketConfiguration(properties: Json): Record<string, string> {
  const configuration: Record<string, string> = {};
  const access = properties["PublicAccessBlockConfiguration"];
  if (access !== undefined) {
    configuration["publicAccessBlock"] = document(
      "PublicAccessBlockConfiguration",
      S3_NAMESPACE,
      ...plain(access),
    );
  }
  const ownership = properties["OwnershipControls"];
  if (ownership !== undefined) {
    const rules = asArray(asObject(ownership, "OwnershipControls")["Rules"], "Rules");
    configuration["ownershipControls"] = document(
      "OwnershipControls",
      S3_NAMESPACE,
      ...rules.map((rule) => element("Rule", ...plain(rule))),
    );
  }
  const encryption = properties["BucketEncryption"];
  if (encryption !== undefined) {
    const name = "ServerSideEncryptionConfiguration";
    const rules = asArray(asObject(encryption, "BucketEncryption")[name], name);
    configuration["encryption"] = document(
      name,
      S3_NAMESPACE,
      ...rules.map((item) => {
        const rule = asObject(item, name);
        return element(
          "Rule",
          element(
            "ApplyServerSideEncryptionByDefault",
            ...plain(rule["ServerSideEncryptionByDefault"]),
          ),
          textElement("BucketKeyEnabled", String(rule["BucketKeyEnabled"] ?? false)),
        );
      }),
    );
  }
  const versioning = properties["VersioningConfiguration"];
  if (versioning !== undefined) {
    configuration["versioning"] = document(
      "VersioningConfiguration",
      S3_NAMESPACE,
      ...plain(versioning),
    );
  }
  const lifecycle = properties["LifecycleConfiguration"];
  if (lifecycle !== undefined) {
    const rules = asArray(asObject(lifecycle, "LifecycleConfiguration")["Rules"], "Rules");
    configuration["lifecycle"] = document(
      "LifecycleConfiguration",
      S3_NAMESPACE,
      ...rules.map((rule) => lifecycleRule(asObject(rule, "Rules"))),
    );
  }
  return configuration;
}

/** Members that S3 calls as CloudFormation does. */
function plain(value: unknown): string[] {
  return Object.entries(asObject(value, "property"))
    .map(([name, member]) => textElement(name, String(member)));
}

function lifecycleRule(rule: Json): string {
  const days = rule["ExpirationInDays"];
  const abort = rule["AbortIncompleteMultipartUpload"];
  return element(
    "Rule",
    textElement("ID", text(rule, "Id")),
    element("Filter", textElement("Prefix", text(rule, "Prefix") ?? "")),
    textElement("Status", text(rule, "Status")),
    days === undefined ? "" : element("Expiration", textElement("Days", String(days))),
    abort === undefined ? "" : element(
      "AbortIncompleteMultipartUpload",
      textElement(
        "DaysAfterInitiation",
        String(asObject(abort, "AbortIncompleteMultipartUpload")["DaysAfterInitiation"]),
      ),
    ),
  );
}
