/** A compiler's command line, read as far as llamacc must understand it. */
import { type Effect, findOption } from "./options.ts";

/** What a command line says. */
export interface CommandLine {
  /** Language of each source as -x gave it, `undefined` where its name decides. */
  readonly sources: readonly { readonly path: string; readonly language: string | undefined }[];
  readonly mode: "link" | "compile" | "assembly" | "preprocess" | "depend";
  readonly output: string | undefined;
  readonly depend: boolean;
  readonly dependFile: string | undefined;
  /** Files of -include and -imacros. */
  readonly includes: readonly string[];
  readonly quoteFolders: readonly string[];
  readonly bracketFolders: readonly string[];
  readonly systemFolders: readonly string[];
  readonly afterFolders: readonly string[];
  /** Arguments that change the built-in search path. */
  readonly searchFlags: readonly string[];
  /** Whether the command line itself decides about colour. */
  readonly colorChosen: boolean;
  /** Reason of the first option that demands a local run. */
  readonly localReason: string | undefined;
  readonly flags: ReadonlySet<string>;
}

/** Reads the arguments behind the compiler's name. */
export function readCommandLine(args: readonly string[]): CommandLine {
  const sources: { path: string; language: string | undefined }[] = [];
  const includes: string[] = [];
  const folders = {
    quote: [] as string[],
    bracket: [] as string[],
    system: [] as string[],
    after: [] as string[],
  };
  const searchFlags: string[] = [];
  const flags = new Set<string>();
  let language: string | undefined;
  let mode: CommandLine["mode"] = "link";
  let output: string | undefined;
  let depend = false;
  let dependFile: string | undefined;
  let colorChosen = false;
  let localReason: string | undefined;

  const apply = (effect: Effect, value: string, spelled: readonly string[]) => {
    if (typeof effect === "object") {
      localReason ??= effect.local;
      return;
    }
    switch (effect) {
      case "compile":
        if (mode === "link") mode = "compile";
        break;
      case "assembly-output":
        if (mode === "link" || mode === "compile") mode = "assembly";
        break;
      case "preprocess":
        mode = "preprocess";
        break;
      case "depend-only":
        if (mode !== "preprocess") mode = "depend";
        break;
      case "depend":
        depend = true;
        break;
      case "depend-file":
        dependFile = value;
        break;
      case "output":
        output = value;
        break;
      case "language":
        language = value === "none" ? undefined : value;
        break;
      case "include-file":
        includes.push(value);
        break;
      case "quote-folder":
        folders.quote.push(value);
        break;
      case "bracket-folder":
        if (value === "-") localReason ??= "split-search";
        folders.bracket.push(value);
        break;
      case "system-folder":
        folders.system.push(value);
        break;
      case "after-folder":
        folders.after.push(value);
        break;
      case "search":
        searchFlags.push(...spelled);
        break;
      case "forced-color":
        colorChosen = true;
        break;
      case "preprocessor-words": {
        // -Wp,-MMD,FILE is what Linux's kbuild says for -MMD -MF FILE.
        const [word = "", file, ...rest] = value.split(",");
        if (/^-MM?D$/.test(word) && file !== undefined && rest.length === 0) {
          depend = true;
          dependFile = file;
        } else if (!/^-[DU]./.test(word) || file !== undefined) {
          localReason ??= "preprocessor-options";
        }
        break;
      }
      case "pass":
        break;
    }
  };

  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? "";
    if (argument.startsWith("@") && argument.length > 1) localReason ??= "response-file";
    if (!argument.startsWith("-")) {
      sources.push({ path: argument, language });
      continue;
    }
    const option = findOption(argument);
    if (!option) {
      flags.add(argument);
      continue;
    }
    const joined = argument.slice(option.name.length);
    const separate = option.form === "separate" || (option.form === "either" && joined === "");
    if (!separate) {
      flags.add(argument);
      apply(option.effect, joined, [argument]);
      continue;
    }
    const value = args[++index];
    if (value === undefined) {
      localReason ??= "missing-value";
      continue;
    }
    apply(option.effect, value, [argument, value]);
  }
  return {
    sources,
    mode,
    output,
    depend,
    dependFile,
    includes,
    quoteFolders: folders.quote,
    bracketFolders: folders.bracket,
    systemFolders: folders.system,
    afterFolders: folders.after,
    searchFlags,
    colorChosen,
    localReason,
    flags,
  };
}
