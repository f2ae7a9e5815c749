/** Where the expansion of a template is: its variables, and what it is at. */
import { TemplateProblem } from "./error.ts";
import type { Value } from "./values.ts";

/** Where an expansion is. */
export interface State {
  /** Variables in force; of those with one name the last counts. */
  variables: { readonly name: string; value: Value }[];
  /** Index of what is being evaluated, for messages. */
  index: number;
}

/** Forgets all variables but the first so many. */
export function pop(state: State, mark: number): void {
  state.variables.length = mark;
}

/** Sets the variable that is the `count`th from the last. */
export function setTop(state: State, count: number, value: Value): void {
  const variable = state.variables.at(-count);
  if (variable !== undefined) variable.value = value;
}

/** Sets the last variable of a name. */
export function setVariable(state: State, name: string, value: Value): void {
  variableOf(state, name).value = value;
}

/** The last variable of a name. */
export function variableOf(state: State, name: string): State["variables"][number] {
  const variable = state.variables.findLast((variable) => variable.name === name);
  if (variable === undefined) throw problem(state, `there is no variable ${name}`);
  return variable;
}

/** What is wrong with what is being evaluated. */
export function problem({ index }: State, message: string): TemplateProblem {
  return new TemplateProblem("execution", index, message);
}
