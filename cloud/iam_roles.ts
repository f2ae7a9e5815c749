/** The roles of the embedded cloud, made by CloudFormation; their inline policies are in force. */
import { asInteger, asObject, asString, type Json } from "../job/json.ts";
import { parsePolicy, type Statement } from "./policy.ts";
import { openTable, type Table } from "./state.ts";

/** One role. */
export interface Role {
  /** Its name, unique in the account. */
  readonly name: string;
  /** Its path, `/` by default. */
  readonly path: string;
  /** Its unique id. */
  readonly id: string;
  /** Who may assume it: the trust policy, as given. */
  readonly assumeRolePolicy: Json;
  /** Inline policies by name, as given. */
  readonly policies: Json;
  /** When it was made, milliseconds since the epoch. */
  readonly createdMs: number;
}

/** The roles of one account. */
export interface Roles {
  /** All roles by name. */
  readonly table: Table<Role>;
  /** The role's ARN. */
  arnOf(role: Role): string;
  /** Whether a role has that ARN. */
  exists(arn: string): boolean;
  /** The statements of all policies of the role; none if there is no such role. */
  statementsOf(name: string): readonly Statement[];
}

/** Opens the roles kept in `directory`. */
export async function openRoles(directory: string, accountId: string): Promise<Roles> {
  const table = await openTable(directory, decodeRole);
  // Policies are parsed once for each version of a role, as every request of a worker asks.
  const parsed = new WeakMap<Role, readonly Statement[]>();

  function arnOf(role: Role): string {
    return `arn:aws:iam::${accountId}:role${role.path}${role.name}`;
  }

  return {
    table,
    arnOf,
    exists(arn) {
      const role = table.records.get(arn.split("/").at(-1) ?? "");
      return role !== undefined && arnOf(role) === arn;
    },
    statementsOf(name) {
      const role = table.records.get(name);
      if (role === undefined) return [];
      let statements = parsed.get(role);
      if (statements === undefined) {
        statements = Object.entries(role.policies)
          .flatMap(([policy, document]) => parsePolicy(document, policy));
        parsed.set(role, statements);
      }
      return statements;
    },
  };
}

function decodeRole(value: unknown, what: string): Role {
  const json = asObject(value, what);
  return {
    name: asString(json["name"], "name"),
    path: asString(json["path"], "path"),
    id: asString(json["id"], "id"),
    assumeRolePolicy: asObject(json["assumeRolePolicy"], "assumeRolePolicy"),
    policies: asObject(json["policies"], "policies"),
    createdMs: asInteger(json["createdMs"], "createdMs"),
  };
}
