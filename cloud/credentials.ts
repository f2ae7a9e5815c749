/**
 * Access keys of the embedded cloud: one root key, made at the first start, and the keys of role
 * sessions. A session is not stored. Its token holds role, key and expiry under an HMAC, and its
 * secret is an HMAC of its token: so sessions outlive a restart, and a thousand of them cost nothing.
 */
import { asInteger, asObject, asString, parseJson } from "../job/json.ts";
import { hmacHex } from "./digests.ts";
import type { Principal } from "./service.ts";
import { SignatureError } from "./signature.ts";
import { sameSignature } from "./sigv4.ts";
import { readIfThere, writeDurably } from "./state.ts";

/** The keys that one embedded cloud keeps. */
export interface Keys {
  /** Access key of root. */
  readonly accessKeyId: string;
  /** Secret key of root. */
  readonly secretAccessKey: string;
  /** Secret under which session tokens are made. */
  readonly tokenSecret: string;
}

/** Credentials of a role session. */
export interface RoleCredentials {
  /** Access key. */
  readonly accessKeyId: string;
  /** Secret key. */
  readonly secretAccessKey: string;
  /** Session token, sent as `X-Amz-Security-Token`. */
  readonly sessionToken: string;
}

/** Who holds an access key, and the secret that its signatures must be made with. */
export interface KeyHolder {
  /** The caller that the key stands for. */
  readonly principal: Principal;
  /** The secret key. */
  readonly secretAccessKey: string;
}

/** Gives out credentials and knows them again. */
export interface Credentials {
  /** Credentials of a session of `roleArn` that end after `seconds`. */
  issueRoleCredentials(roleArn: string, seconds: number): RoleCredentials;
  /**
   * Who holds `accessKeyId`.
   *
   * @throws {SignatureError} `unknownKey`, `badToken` or `expiredToken`.
   */
  find(accessKeyId: string, sessionToken: string | undefined): KeyHolder;
}

/** Reads the keys in `path`, or makes them; the file's mode is 0600. */
export async function loadKeys(path: string): Promise<Keys> {
  const bytes = await readIfThere(path);
  if (bytes !== undefined) {
    const what = `'${path}'`;
    const json = asObject(parseJson(new TextDecoder().decode(bytes), what), what);
    return {
      accessKeyId: asString(json["accessKeyId"], "accessKeyId"),
      secretAccessKey: asString(json["secretAccessKey"], "secretAccessKey"),
      tokenSecret: asString(json["tokenSecret"], "tokenSecret"),
    };
  }
  const keys: Keys = {
    // AWS's own begin with AKIA: these must never be taken for one.
    accessKeyId: `LKIA${randomName(16)}`,
    secretAccessKey: randomSecret(30),
    tokenSecret: randomSecret(33),
  };
  await writeDurably(path, new TextEncoder().encode(JSON.stringify({ version: 1, ...keys })));
  return keys;
}

function randomName(length: number): string {
  // 32 letters, so that a byte's low five bits choose without favour.
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bytes = crypto.getRandomValues(new Uint8Array(length));
  return Array.from(bytes, (byte) => letters[byte & 31]).join("");
}

function randomSecret(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toBase64();
}

/** Opens the credentials of one account over its keys; `now` is in milliseconds since the epoch. */
export function openCredentials(keys: Keys, accountId: string, now: () => number): Credentials {
  const root: KeyHolder = {
    secretAccessKey: keys.secretAccessKey,
    principal: {
      accessKeyId: keys.accessKeyId,
      arn: `arn:aws:iam::${accountId}:root`,
      accountId,
      root: true,
    },
  };

  function secretOf(token: string): string {
    return hmacHex(keys.tokenSecret, `secret\n${token}`).slice(0, 40);
  }

  return {
    issueRoleCredentials(roleArn, seconds) {
      const accessKeyId = `LTIA${randomName(16)}`;
      const claims = { role: roleArn, key: accessKeyId, expiresMs: now() + seconds * 1000 };
      const body = new TextEncoder().encode(JSON.stringify(claims)).toBase64();
      const sessionToken = `${body}.${hmacHex(keys.tokenSecret, `token\n${body}`)}`;
      return { accessKeyId, secretAccessKey: secretOf(sessionToken), sessionToken };
    },

    find(accessKeyId, sessionToken) {
      if (accessKeyId === keys.accessKeyId) {
        if (sessionToken === undefined) return root;
        throw new SignatureError(
          "badToken",
          "The provided token is malformed or otherwise invalid.",
        );
      }
      if (sessionToken === undefined) throw unknownKey();
      const [body = "", mac = ""] = sessionToken.split(".");
      if (!sameSignature(hmacHex(keys.tokenSecret, `token\n${body}`), mac)) {
        throw new SignatureError(
          "badToken",
          "The provided token is malformed or otherwise invalid.",
        );
      }
      const text = new TextDecoder().decode(Uint8Array.fromBase64(body));
      const claims = asObject(parseJson(text, "token"), "token");
      if (asString(claims["key"], "key") !== accessKeyId) throw unknownKey();
      if (asInteger(claims["expiresMs"], "expiresMs") <= now()) {
        throw new SignatureError("expiredToken", "The provided token has expired.");
      }
      const roleName = asString(claims["role"], "role").split("/").at(-1) ?? "";
      return {
        secretAccessKey: secretOf(sessionToken),
        principal: {
          accessKeyId,
          arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/llama`,
          accountId,
          root: false,
          roleName,
        },
      };
    },
  };
}

function unknownKey(): SignatureError {
  return new SignatureError(
    "unknownKey",
    "The AWS Access Key Id you provided does not exist in our records.",
  );
}
