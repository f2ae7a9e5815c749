/** Deep equality as `@std/assert` has it; `node:util` differs on -0 and on null prototypes. */

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

const sameConstructor = (a: object, b: object): boolean =>
  a.constructor === b.constructor ||
  (a.constructor === Object && !b.constructor) ||
  (!a.constructor && b.constructor === Object);

type Collection = Map<unknown, unknown> | Set<unknown>;

const isCollection = (value: unknown): value is Collection =>
  value instanceof Map || value instanceof Set;

/** Whether two values are equal all the way down. */
export function equal(a: unknown, b: unknown, seen: Map<unknown, unknown> = new Map()): boolean {
  if (typeof a === "number" && typeof b === "number") return a === b || Object.is(a, b);
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (a instanceof RegExp && b instanceof RegExp) return String(a) === String(b);
  if (a instanceof URL && b instanceof URL) return a.href === b.href;
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (!sameConstructor(a, b)) return false;
  if (seen.get(a) === b) return true;
  const keys = Reflect.ownKeys(a).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(a, key)
  );
  const others = Reflect.ownKeys(b)
    .filter((key) => Object.prototype.propertyIsEnumerable.call(b, key));
  if (keys.length !== others.length) return false;
  seen.set(a, b);
  if (isCollection(a) && isCollection(b)) {
    if (a.size !== b.size) return false;
    const entries = [...b.entries()];
    return [...a.entries()].every(([key, value]) =>
      entries.some(([otherKey, other]) => equal(key, otherKey, seen) && equal(value, other, seen))
    );
  }
  return keys.every((key) => key in b && equal(Reflect.get(a, key), Reflect.get(b, key), seen));
}
