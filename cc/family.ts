/** Which compiler's options a driver has. */
import type { FileSystem } from "./file_system.ts";
import type { Family } from "./options.ts";

/** Links that a name may lead through. */
const MAX_LINKS = 40;

/** The family of a driver, by its name and those of the files that it is a link to; GCC's if none tells. */
export function familyOf(driver: string, files: FileSystem): Family {
  let at = driver;
  for (let links = 0; links < MAX_LINKS; links++) {
    if (/clang(?:\+\+)?(?:-[\d.]+)?$/.test(at)) return "clang";
    const target = files.readLink(at);
    if (target === undefined) break;
    at = target.startsWith("/") ? target : `${at.slice(0, at.lastIndexOf("/") + 1)}${target}`;
  }
  return "gcc";
}
