/** Where a link points once it is laid out below a root that the kernel knows nothing of. */
import type { LinkInput } from "../job/manifest.ts";

/**
 * The target of a link as it must stand on the worker: relative, and never above the root, as the
 * kernel knows nothing of it.
 */
export function targetInRoot({ path, target }: Pick<LinkInput, "path" | "target">): string {
  const depth = path.split("/").length - 2;
  if (target.startsWith("/")) {
    return "../".repeat(depth) + (clamp(target.slice(1), 0) || ".");
  }
  return clamp(target, depth) || ".";
}

/** Takes those `..` out of a relative path that would climb more than `depth` folders. */
function clamp(path: string, depth: number): string {
  let level = depth;
  let climbs = false;
  for (const component of path.split("/")) {
    if (component === "..") climbs ||= --level < 0;
    else if (component !== "" && component !== ".") level++;
  }
  if (!climbs) return path;
  const kept: string[] = [];
  level = depth;
  for (const component of path.split("/")) {
    if (component === "" || component === ".") continue;
    if (component !== "..") {
      level++;
      kept.push(component);
    } else if (level > 0) {
      level--;
      kept.push(component);
    }
  }
  return kept.join("/");
}
