/** What is wrong with a template, and where. */
import { LlamaError, type LlamaErrorOptions } from "../../job/errors.ts";
import { shortened } from "./values.ts";

/** Where something stands in the arguments. */
export interface TemplatePlace {
  /** Number of the argument, from 1. */
  readonly argument: number;
  /** Line of the argument, from 1. */
  readonly line: number;
  /** Column in that line in characters, from 1. */
  readonly column: number;
}

/** `parse`: no data can make it right. `execution`: it failed on the data at hand. */
export type TemplateErrorKind = "parse" | "execution";

/** Thrown for a template that cannot be read or expanded. Its code is `BadTemplate`. */
export class TemplateError extends LlamaError {
  /** Name of the class. */
  override readonly name = "TemplateError";
  /** Whether the template or what became of it is wrong. */
  readonly kind: TemplateErrorKind;
  /** Where it is wrong. */
  readonly place: TemplatePlace;

  /** Creates an error for a problem at a place of a template. */
  constructor(
    kind: TemplateErrorKind,
    template: string,
    place: TemplatePlace,
    problem: string,
    options: LlamaErrorOptions = {},
  ) {
    const act = kind === "parse" ? "read" : "expand";
    const what = `argument ${place.argument}, ${JSON.stringify(shortened(template))},`;
    const line = place.line > 1 ? `line ${place.line}, ` : "";
    const message = `Cannot ${act} ${what} at ${line}column ${place.column}: ${problem}`;
    super("BadTemplate", message.replaceAll("\n", " "), options);
    this.kind = kind;
    this.place = place;
  }
}

/**
 * What a module below knows of a problem: where in its template, and what. It becomes a
 * {@linkcode TemplateError} where the number of the argument is known.
 */
export class TemplateProblem extends Error {
  /** Name of the class. */
  override readonly name = "TemplateProblem";
  /** Whether the template or what became of it is wrong. */
  readonly kind: TemplateErrorKind;
  /** Index in the template's text, in UTF-16 units. */
  readonly index: number;
  /** What the reader can do about it. */
  readonly hint: string | undefined;

  /** Creates a problem at an index. */
  constructor(
    kind: TemplateErrorKind,
    index: number,
    message: string,
    options: LlamaErrorOptions = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.index = index;
    this.hint = options.hint;
  }
}

/** The error of a problem in the text of an argument. */
export function errorOf(problem: TemplateProblem, text: string, argument: number): TemplateError {
  const lines = text.slice(0, problem.index).split("\n");
  const column = [...lines.at(-1) ?? ""].length + 1;
  const options = {
    ...(problem.hint !== undefined && { hint: problem.hint }),
    ...(problem.cause instanceof LlamaError && { exitCode: problem.cause.exitCode }),
    ...(problem.cause !== undefined && { cause: problem.cause }),
  };
  const place = { argument, line: lines.length, column };
  return new TemplateError(problem.kind, text, place, problem.message, options);
}
