/** This machine behind the seams of cc/, with an empty memory of it. */
import { hash } from "node:crypto";
import { createFileDigests } from "../cc/digests.ts";
import { createFolders } from "../cc/folders.ts";
import { createGuesser, type Guesser } from "../cc/guess.ts";
import { createPlaces } from "../cc/places.ts";
import type { FileSystem, ProcessRunner } from "../cc/file_system.ts";
import type { InputTools } from "../cc/inputs.ts";
import { realFiles, realProcesses } from "./real_files.ts";

/** Its files, and the programs that are asked about them. */
export interface MachineTools extends InputTools {
  readonly files: FileSystem;
  readonly processes: ProcessRunner;
  readonly guesser: Guesser;
}

/** Opens it, through `files` if those are others; what uses the same tools shares what they remember. */
export function openRealTools(files: FileSystem = realFiles): MachineTools {
  const folders = createFolders(files);
  const digests = createFileDigests(files, (bytes) => hash("sha256", bytes, "hex"));
  return {
    files,
    processes: realProcesses,
    folders,
    places: createPlaces(files, folders),
    digests,
    guesser: createGuesser(files, folders, digests),
  };
}
