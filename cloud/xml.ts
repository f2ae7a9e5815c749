/** XML as AWS writes and takes it: small documents, no attributes but namespaces. */
import { XMLParser } from "fast-xml-parser";
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

/**
 * Parses a document and returns the content of its root element `name`; all values are text.
 *
 * @throws {ServiceError} `MalformedXML`
 */
export function parseXml(text: string, name: string): Json {
  const parser = new XMLParser({
    parseTagValue: false,
    trimValues: true,
    ignoreAttributes: true,
    ignoreDeclaration: true,
    removeNSPrefix: true,
    processEntities: { enabled: true },
  });
  try {
    const root = asObject(parser.parse(text, true), "document")[name];
    // An element with nothing in it is parsed as an empty text.
    return root === "" ? {} : asObject(root, name);
  } catch (cause) {
    throw new ServiceError(
      400,
      "MalformedXML",
      "The XML you provided was not well-formed or did not validate against our published schema",
      { cause },
    );
  }
}

/** The children called `name`: the parser gives one alone as itself and more as an array. */
export function childrenOf(parent: Json, name: string): readonly unknown[] {
  const value = parent[name];
  if (value === undefined) return [];
  return Array.isArray(value) ? asArray(value, name) : [value];
}
