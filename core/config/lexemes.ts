// Text → YAML lexemes, with one liberty: `{ match: /users/{id}, to: users }` is read as meant. Strict YAML
// ends the scalar at the second brace and then finds nothing but an error, so no valid file changes.
import { Lexer } from 'yaml';

/** Marks a plain scalar in the lexer's output. Source: yaml, CST.SCALAR. */
const SCALAR = '\u{1f}';
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export interface Lexemes {
  readonly list: readonly string[];
  /** Offsets of the scalars that strict YAML would not take. */
  readonly joined: readonly number[];
}

export function lex(text: string): Lexemes {
  const raw = [...new Lexer().lex(text)];
  const list: string[] = [];
  const joined: number[] = [];
  let offset = 0;
  for (let at = 0; at < raw.length; at++) {
    const lexeme = raw[at] ?? '';
    const scalar = list.at(-1) === SCALAR ? joinTemplate(raw, at) : null;
    if (scalar === null) {
      list.push(lexeme);
      offset += widthOf(lexeme);
    } else {
      list.push(scalar.text);
      joined.push(offset);
      offset += scalar.text.length;
      at += scalar.taken - 1;
    }
  }
  return { list, joined };
}

/** From `/users/`, `{`, SCALAR, `id`, `}`, SCALAR, `/x` on: one text. null: nothing to join here. */
function joinTemplate(raw: readonly string[], start: number): { readonly text: string; readonly taken: number } | null {
  let text = raw[start] ?? '';
  let at = start + 1;
  while (text.endsWith('/') && isParameter(raw, at)) {
    text += `{${raw[at + 2]}}`;
    at += 4;
    const rest = raw[at] === SCALAR ? raw[at + 1] : undefined;
    if (rest === undefined || !rest.startsWith('/')) break;
    text += rest;
    at += 2;
  }
  return at === start + 1 ? null : { text, taken: at - start };
}

function isParameter(raw: readonly string[], at: number): boolean {
  return raw[at] === '{' && raw[at + 1] === SCALAR && NAME.test(raw[at + 2] ?? '') && raw[at + 3] === '}';
}

/** Control lexemes stand for no text. Source: yaml, CST.BOM, DOCUMENT, FLOW_END, SCALAR. */
function widthOf(lexeme: string): number {
  return lexeme === SCALAR || lexeme === '\u{2}' || lexeme === '\u{18}' ? 0 : lexeme.length;
}
