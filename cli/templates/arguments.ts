/** Arguments of a command that are Go templates, read once and expanded for each job. */
import { FUNCTION_NAMES } from "./builtins.ts";
import { errorOf, TemplateProblem } from "./error.ts";
import { evaluate } from "./evaluate.ts";
import { parseTemplate } from "./parse.ts";
import { hasLooseBytes } from "./text.ts";
import type { TemplateData } from "./values.ts";

/** Gives the arguments of a job from its data. */
export type Expand = (data: TemplateData) => string[];

/** Whether an argument has anything to expand. */
export function hasTemplate(argument: string): boolean {
  return argument.includes("{{");
}

/**
 * Reads arguments as templates. `names` are the fields and methods that the data will have; messages
 * offer them where a name is misspelled. What is returned calls the data's methods in the order of the
 * text and throws a {@linkcode TemplateError} of kind `execution` for data that a template does not fit.
 *
 * @throws {TemplateError} If an argument is no template, of the kind `parse`.
 */
export function compileArguments(
  templates: readonly string[],
  names: readonly string[] = [],
): Expand {
  const compiled = templates.map((template, index) => compile(template, index + 1, names));
  return (data) => compiled.map((expand) => expand(data));
}

function compile(
  template: string,
  argument: number,
  names: readonly string[],
): (data: TemplateData) => string {
  if (!hasTemplate(template)) return () => template;
  const tree = placed(template, argument, () => parseTemplate(template, FUNCTION_NAMES, names));
  return (data) =>
    placed(template, argument, () => {
      const text = evaluate(tree, data);
      if (hasLooseBytes(text)) {
        throw new TemplateProblem("execution", 0, "it gives bytes that are not UTF-8", {
          hint: "slice and index count bytes, not characters",
        });
      }
      return text;
    });
}

function placed<T>(template: string, argument: number, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof TemplateProblem) throw errorOf(error, template, argument);
    throw error;
  }
}
