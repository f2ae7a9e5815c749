/** The XML of S3 and of the query services, as far as their answers need it. */
import { FormatError, messageOf } from "../job/errors.ts";

/** An element of an answer. */
export interface XmlElement {
  /** Name of the element. */
  readonly name: string;
  /** Its text, empty if it has elements instead. */
  readonly value: string;
  /** The text of the first child of that name. */
  text(name: string): string | undefined;
  /** The first child of that name. */
  child(name: string): XmlElement | undefined;
  /** All children of that name. */
  children(name: string): XmlElement[];
  /** The children `member` of the first child of that name: a list of the query protocol. */
  members(name: string): XmlElement[];
}

/**
 * Reads the outermost element. The parser is loaded at the first call, as few commands need it.
 *
 * @throws {FormatError} If `text` is not well-formed, or its outermost element is not `root`.
 */
export async function parseXml(text: string, root: string, what: string): Promise<XmlElement> {
  const { XMLParser } = await import("fast-xml-parser");
  let parsed: unknown;
  try {
    // Its entities leave out numeric references and end at 100,000 characters: done here instead.
    parsed = new XMLParser({
      ignoreAttributes: true,
      ignoreDeclaration: true,
      parseTagValue: false,
      processEntities: false,
      trimValues: false,
    }).parse(text, true);
  } catch (cause) {
    throw new FormatError(what, `it is not XML: ${messageOf(cause)}`, { cause });
  }
  const element = elementOf("", parsed).child(root);
  if (element === undefined) throw new FormatError(what, `it has no element "${root}"`);
  return element;
}

function elementOf(name: string, node: unknown): XmlElement {
  const parts = typeof node === "object" && node !== null
    ? new Map<string, unknown>(Object.entries(node))
    : undefined;
  const children = (child: string): XmlElement[] => {
    const found = parts?.get(child);
    if (found === undefined) return [];
    return (Array.isArray(found) ? found : [found]).map((item) => elementOf(child, item));
  };
  const child = (name: string): XmlElement | undefined => children(name)[0];
  return {
    name,
    value: typeof node === "string" ? decodeEntities(node) : "",
    text: (name) => child(name)?.value,
    child,
    children,
    members: (name) => child(name)?.children("member") ?? [],
  };
}

/** Replaces the references of XML 1.0, section 4.6 and 4.1, by what they stand for. */
export function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex: string | undefined, decimal: string | undefined, word: string | undefined) => {
      if (word !== undefined) return ENTITIES[word] ?? whole;
      const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}

const ENTITIES: Readonly<Record<string, string | undefined>> = {
  amp: "&",
  apos: "'",
  gt: ">",
  lt: "<",
  quot: '"',
};

const NAMES: Readonly<Record<string, string | undefined>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Writes text so that it can stand in an element, control characters as references. */
export function encodeEntities(text: string): string {
  return text.replace(
    // deno-lint-ignore no-control-regex
    /[&<>"\x00-\x1f\x7f]/g,
    (character) => NAMES[character] ?? `&#${character.charCodeAt(0)};`,
  );
}
