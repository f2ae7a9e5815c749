/** What a template is once it is read. Every `index` is one in its text, and is what messages point at. */

/** A template: what it writes, and the templates that it defines by name. */
export interface Tree {
  readonly body: readonly Statement[];
  readonly defined: ReadonlyMap<string, readonly Statement[]>;
}

/** Text, or an action. */
export type Statement =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly pipe: Pipe }
  | Branch
  | TemplateCall
  | { readonly kind: "break" }
  | { readonly kind: "continue" };

/** An `if`, `with` or `range`. */
export interface Branch {
  readonly kind: "if" | "with" | "range";
  readonly pipe: Pipe;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[] | undefined;
}

/** A `template` or `block`. */
export interface TemplateCall {
  readonly kind: "template";
  readonly index: number;
  readonly name: string;
  readonly pipe: Pipe | undefined;
}

/** Commands, each of which gets the value of the one before as its last argument. */
export interface Pipe {
  readonly kind: "pipe";
  readonly index: number;
  /** Variables that take the value, with their `$`. */
  readonly variables: readonly string[];
  /** Whether the variables are there already. */
  readonly assigns: boolean;
  readonly commands: readonly Command[];
}

/** A value, or a function or method with its arguments; what comes first says which. */
export interface Command {
  readonly first: Operand;
  readonly args: readonly Operand[];
}

/** A part of a command. */
export type Operand =
  | Literal
  | { readonly kind: "dot"; readonly index: number }
  | { readonly kind: "nil"; readonly index: number }
  | { readonly kind: "field"; readonly index: number; readonly names: readonly string[] }
  | VariableUse
  | { readonly kind: "function"; readonly index: number; readonly name: string }
  | Chain
  | Pipe;

/** A constant; a `value` of undefined is an integer that is too large. */
export interface Literal {
  readonly kind: "literal";
  readonly index: number;
  readonly text: string;
  readonly value: string | boolean | bigint | number | undefined;
}

/** A variable, and fields of it. */
export interface VariableUse {
  readonly kind: "variable";
  readonly index: number;
  readonly name: string;
  readonly names: readonly string[];
}

/** Fields of what is in parentheses or of what a function gives. */
export interface Chain {
  readonly kind: "chain";
  readonly index: number;
  readonly base: Operand;
  readonly names: readonly string[];
}
