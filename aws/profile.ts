/** The files that the AWS CLI and the SDKs share: `~/.aws/config` and `~/.aws/credentials`. */
import { LlamaError } from "../job/errors.ts";
import { type IniSection, type IniValue, parseIni, splitWords } from "./ini.ts";

/** Where the files are looked for. */
export interface ProfileInputs {
  /** The environment. An empty variable counts as none. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder; without it only files that the environment names are read. */
  readonly home: string | undefined;
  /** The text of a file, undefined if there is none. */
  readTextFile(path: string): string | undefined;
}

/** What the files say. */
export interface SharedFiles {
  /** Path of the credentials file, as messages call it. */
  readonly credentialsPath: string;
  /** Path of the config file, as messages call it. */
  readonly configPath: string;
  /** Profiles of the credentials file. */
  readonly credentials: ReadonlyMap<string, IniSection>;
  /** Profiles of the config file. */
  readonly config: ReadonlyMap<string, IniSection>;
  /** Sections `[services NAME]` of the config file. */
  readonly services: ReadonlyMap<string, IniSection>;
}

/** The profile in force. */
export interface ChosenProfile {
  /** Name of the profile. */
  readonly name: string;
  /** Who named it: the flag, the variable of that name, or nobody. */
  readonly chosenBy: "-profile" | "AWS_DEFAULT_PROFILE" | "AWS_PROFILE" | undefined;
}

/** A variable of the environment, undefined if it is empty. */
export function variable(inputs: ProfileInputs, name: string): string | undefined {
  const value = inputs.env[name];
  return value === "" ? undefined : value;
}

/** Chooses the profile as the AWS CLI does: flag, `AWS_DEFAULT_PROFILE`, `AWS_PROFILE`, `default`. */
export function chooseProfile(inputs: ProfileInputs, flag: string | undefined): ChosenProfile {
  if (flag !== undefined && flag !== "") return { name: flag, chosenBy: "-profile" };
  for (const chosenBy of ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"] as const) {
    const name = variable(inputs, chosenBy);
    if (name !== undefined) return { name, chosenBy };
  }
  return { name: "default", chosenBy: undefined };
}

/**
 * Reads both files; a missing one is empty.
 *
 * @throws {FormatError} If one cannot be understood.
 */
export function readSharedFiles(inputs: ProfileInputs): SharedFiles {
  const path = (name: string, file: string): string | undefined => {
    const given = variable(inputs, name);
    if (given === undefined) return inputs.home === undefined ? undefined : `${inputs.home}${file}`;
    return given.startsWith("~/") && inputs.home !== undefined
      ? `${inputs.home}${given.slice(1)}`
      : given;
  };
  const sections = (path: string | undefined): ReadonlyMap<string, IniSection> => {
    const text = path === undefined ? undefined : inputs.readTextFile(path);
    return text === undefined || path === undefined ? new Map() : parseIni(text, `"${path}"`);
  };
  const credentialsPath = path("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials");
  const configPath = path("AWS_CONFIG_FILE", "/.aws/config");
  const config = new Map<string, IniSection>();
  const services = new Map<string, IniSection>();
  for (const [header, section] of sections(configPath)) {
    const [kind, name, ...rest] = header === "default"
      ? ["profile", "default"]
      : splitWords(header, `"[${header}]" in "${configPath}"`);
    if (name === undefined || rest.length > 0) continue;
    if (kind === "profile") config.set(name, section);
    if (kind === "services") services.set(name, section);
  }
  return {
    credentialsPath: credentialsPath ?? "~/.aws/credentials",
    configPath: configPath ?? "~/.aws/config",
    credentials: sections(credentialsPath),
    config,
    services,
  };
}

/** A setting of a profile: the credentials file's, else the config file's. */
export function profileSetting(
  files: SharedFiles,
  profile: string,
  name: string,
): string | undefined {
  return textOf(files.credentials.get(profile)?.get(name)) ??
    textOf(files.config.get(profile)?.get(name));
}

/**
 * Checks that the chosen profile exists, unless nobody named it.
 *
 * @throws {LlamaError} `ProfileNotFound`, if it does not.
 */
export function checkProfileExists(files: SharedFiles, profile: ChosenProfile): void {
  const { name, chosenBy } = profile;
  if (chosenBy === undefined || files.config.has(name) || files.credentials.has(name)) return;
  const known = new Set([...files.config.keys(), ...files.credentials.keys()]);
  throw new LlamaError(
    "ProfileNotFound",
    `Cannot use the profile "${name}" of ${chosenBy} as neither "${files.configPath}" nor ` +
      `"${files.credentialsPath}" has it`,
    {
      hint: known.size === 0
        ? "Run `aws configure` to make a profile"
        : `Profiles there are: ${[...known].join(", ")}`,
    },
  );
}

/**
 * The endpoint that the profile's `services` section names for a service.
 *
 * @param service The service's identifier in such a section, such as `s3`.
 * @throws {LlamaError} `BadProfile`, if the section that the profile names does not exist.
 */
export function profileServiceEndpoint(
  files: SharedFiles,
  profile: string,
  service: string,
): string | undefined {
  const section = profileSetting(files, profile, "services");
  if (section === undefined) return undefined;
  const settings = files.services.get(section);
  if (settings === undefined) {
    throw new LlamaError(
      "BadProfile",
      `Cannot use the profile "${profile}" as "${files.configPath}" has no section ` +
        `"[services ${section}]"`,
    );
  }
  const group = settings.get(service);
  return typeof group === "object" ? group.get("endpoint_url") : undefined;
}

function textOf(value: IniValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
