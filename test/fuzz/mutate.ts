// Makes new byte streams out of known ones: pieces inserted, dropped, doubled, swapped and joined.
import type { Random } from './target.ts';

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

const ODD = [
  '\0',
  '\x01',
  '\x0b',
  '\x7f',
  '\x80',
  '\xa0',
  '\xff',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  ':',
  ',',
  ';',
  '"',
  '\\',
  '#',
  '%',
];

/** `words`: pieces that mean something to the reader. Latin1. */
export function mutate(random: Random, source: string, words: readonly string[]): string {
  let text = source;
  for (let left = Math.floor(random() ** 2 * 6); left > 0; left--) text = mutateOnce(random, text, words);
  return text;
}

function mutateOnce(random: Random, text: string, words: readonly string[]): string {
  const at = Math.floor(random() * (text.length + 1));
  const length = Math.floor(random() ** 3 * (text.length - at)) + 1;
  const [before, piece, after] = [text.slice(0, at), text.slice(at, at + length), text.slice(at + length)];
  switch (Math.floor(random() * 9)) {
    case 0:
      return before + pick(random, ODD) + piece + after;
    case 1:
      return before + pick(random, words) + piece + after;
    case 2:
      return before + pick(random, words) + after;
    case 3:
      return before + after;
    case 4:
      return before + piece + piece + after;
    case 5:
      return before + String.fromCharCode(Math.floor(random() * 256)) + text.slice(at + 1);
    case 6:
      return before + (piece === piece.toLowerCase() ? piece.toUpperCase() : piece.toLowerCase()) + after;
    case 7:
      return swapLines(random, text);
    default:
      return before + pick(random, ODD).repeat(1 + Math.floor(random() ** 4 * 300)) + piece + after;
  }
}

function swapLines(random: Random, text: string): string {
  const lines = text.split('\r\n');
  const [a, b] = [Math.floor(random() * lines.length), Math.floor(random() * lines.length)];
  [lines[a], lines[b]] = [lines[b] as string, lines[a] as string];
  return lines.join('\r\n');
}

/** Cuts in ascending order. */
export function cutsOf(random: Random, length: number): number[] {
  return Array.from({ length: 1 + Math.floor(random() * 4) }, () => Math.floor(random() * (length + 1))).toSorted(
    (a, b) => a - b,
  );
}

/** The pieces between the cuts, each in memory of its own, without empty ones. */
export function piecesOf(input: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, input.length]) {
    if (cut > from) pieces.push(Buffer.from(input.subarray(from, cut)));
    from = Math.max(from, cut);
  }
  return pieces;
}
