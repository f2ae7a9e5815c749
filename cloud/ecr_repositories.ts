/** The image repositories of the embedded cloud: records, until there is a registry. */
import { asInteger, asObject, asString, type Json } from "../job/json.ts";
import { openTable, type Table } from "./state.ts";

/** One repository. */
export interface Repository {
  /** Its name. */
  readonly name: string;
  /** When it was made, milliseconds since the epoch. */
  readonly createdMs: number;
  /** Its properties, as CloudFormation calls them. */
  readonly properties: Json;
}

/** Opens the repositories kept in `directory`. */
export function openRepositories(directory: string): Promise<Table<Repository>> {
  return openTable(directory, (value, what) => {
    const json = asObject(value, what);
    return {
      name: asString(json["name"], "name"),
      createdMs: asInteger(json["createdMs"], "createdMs"),
      properties: asObject(json["properties"], "properties"),
    };
  });
}
