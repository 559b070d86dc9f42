// Text → YAML lexemes, with one liberty: `{ match: /users/{id}, to: users }` is read as meant. Strict YAML
// ends the scalar at the second brace and then finds nothing but an error, so no valid file changes.
import { Lexer } from 'yaml';

/** Marks a plain scalar in the lexer's output. Source: yaml, CST.SCALAR. */
const SCALAR = '\u{1f}';
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function lex(text: string): readonly string[] {
  const raw = [...new Lexer().lex(text)];
  const lexemes: string[] = [];
  for (let at = 0; at < raw.length; at++) {
    const scalar = lexemes.at(-1) === SCALAR ? joinTemplate(raw, at) : null;
    lexemes.push(scalar?.text ?? raw[at] ?? '');
    if (scalar !== null) at += scalar.taken - 1;
  }
  return lexemes;
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
