/** XML as AWS writes and takes it: small documents, no attributes but namespaces. */
import { XMLParser } from "fast-xml-parser";
import { FormatError } from "../job/errors.ts";
import { asArray, asObject, type Json } from "../job/json.ts";
import { ServiceError } from "./service.ts";

/** The first line of every document. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/** Text escaped for XML; what XML cannot hold becomes a character reference, as S3 does it. */
export function escapeXml(text: string): string {
  return text.replaceAll(
    // deno-lint-ignore no-control-regex -- these are the letters to escape
    /[&<>"\u0000-\u001f]/g,
    (letter) => {
      switch (letter) {
        case "&":
          return "&amp;";
        case "<":
          return "&lt;";
        case ">":
          return "&gt;";
        case '"':
          return "&quot;";
        case "\n":
        case "\t":
          return letter;
        default:
          return `&#x${letter.charCodeAt(0).toString(16)};`;
      }
    },
  );
}

/** An element with text; nothing if there is no text. */
export function textElement(name: string, text: string | number | boolean | undefined): string {
  return text === undefined ? "" : `<${name}>${escapeXml(String(text))}</${name}>`;
}

/** An element around others, which are XML already. */
export function element(name: string, ...inner: readonly string[]): string {
  return `<${name}>${inner.join("")}</${name}>`;
}

/** A document's root element in a namespace. */
export function document(name: string, namespace: string, ...inner: readonly string[]): string {
  return `${XML_DECLARATION}<${name} xmlns="${namespace}">${inner.join("")}</${name}>`;
}

/** The references that a document may hold without a DTD (XML 1.0, section 4.6). */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["apos", "'"],
  ["gt", ">"],
  ["lt", "<"],
  ["quot", '"'],
]);

/**
 * The parser's own decoder knows number references only together with HTML's names, and leaves an
 * unknown reference as it is, where an XML processor must refuse it.
 */
const DECODER = {
  decode: (text: string) =>
    text.replaceAll(/&(?:#(\d+)|#x([\da-fA-F]+)|(\w+))?;?/g, (all, decimal, hex, name) => {
      const known = ENTITIES.get(name) ??
        (name === undefined ? characterOf(decimal ?? hex, decimal === undefined ? 16 : 10) : "");
      if (all.endsWith(";") && known !== "") return known;
      throw new FormatError("XML", `it has the reference "${all}"`);
    }),
  addInputEntities: () => {
    throw new FormatError("XML", "it declares entities");
  },
  setExternalEntities: () => {},
  setXmlVersion: () => {},
  reset: () => {},
};

/** The character of a number reference, "" where XML has none (XML 1.0, production 2, and 1.1). */
function characterOf(digits: string | undefined, base: number): string {
  const code = parseInt(digits ?? "", base);
  const allowed = code > 0 && code < 0xd800 || code > 0xdfff && code < 0xfffe ||
    code > 0xffff && code <= 0x10ffff;
  return allowed ? String.fromCodePoint(code) : "";
}

/**
 * Parses a document and returns the content of its root element `name`; all values are text, with
 * every blank that they have.
 *
 * @throws {ServiceError} `MalformedXML`
 */
export function parseXml(text: string, name: string): Json {
  const parser = new XMLParser({
    parseTagValue: false,
    trimValues: false,
    ignoreAttributes: true,
    ignoreDeclaration: true,
    removeNSPrefix: true,
    processEntities: { enabled: true },
    entityDecoder: DECODER,
  });
  try {
    const root = asObject(parser.parse(text, true), "document")[name];
    // An element with nothing but blanks in it is parsed as a text.
    return typeof root === "string" && root.trim() === "" ? {} : asObject(root, name);
  } catch (cause) {
    throw malformedXml(cause);
  }
}

/** The error for a document that is not as it must be. */
export function malformedXml(cause?: unknown): ServiceError {
  return new ServiceError(
    400,
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
    { cause },
  );
}

/** The children called `name`: the parser gives one alone as itself and more as an array. */
export function childrenOf(parent: Json, name: string): readonly unknown[] {
  const value = parent[name];
  if (value === undefined) return [];
  return Array.isArray(value) ? asArray(value, name) : [value];
}
