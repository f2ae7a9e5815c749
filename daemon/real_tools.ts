/** This machine behind the seams of cc/, with an empty memory of it. */
import { createFileDigests } from "../cc/digests.ts";
import { createFolders } from "../cc/folders.ts";
import { createPlaces } from "../cc/places.ts";
import type { ShipTools } from "../cc/ship.ts";
import { realFiles, realProcesses } from "./real_files.ts";

/** Opens it; what uses the same tools shares what they remember. */
export function openRealTools(): ShipTools {
  const folders = createFolders(realFiles);
  return {
    files: realFiles,
    processes: realProcesses,
    folders,
    places: createPlaces(realFiles, folders),
    digests: createFileDigests(realFiles),
  };
}
