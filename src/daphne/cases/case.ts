/** A script, and what it has to print; or with which exit code it has to fail, and a part of its message. */
export type Case =
  | {
      readonly script: string;
      readonly prints: string;
      readonly args?: readonly string[];
      readonly flags?: readonly string[];
      readonly files?: Readonly<Record<string, string>>;
    }
  | {
      readonly script: string;
      readonly fails: 1 | 2 | 3;
      readonly says?: RegExp;
      readonly args?: readonly string[];
      readonly files?: Readonly<Record<string, string>>;
    };

/** Cases by what they are about. */
export type Cases = Readonly<Record<string, readonly Case[]>>;

export const prints = (script: string, text: string, ...args: string[]): Case => ({ script, prints: text, args });
export const fails = (script: string, code: 1 | 2 | 3, says?: RegExp, ...args: string[]): Case =>
  says === undefined ? { script, fails: code, args } : { script, fails: code, says, args };

/** Expressions and the line that each is printed as. */
export const printed = (table: Readonly<Record<string, string>>): Case[] =>
  Object.entries(table).map(([expression, line]) => prints(`print(${expression});`, `${line}\n`));

/** The same with files beside the script, whose folder is `$DIR` in it. */
export const withFiles = (files: Readonly<Record<string, string>>, each: Case): Case => ({ ...each, files });
