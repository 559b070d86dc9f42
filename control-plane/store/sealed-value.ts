// One value as a file: a line with revision and checksum, then the value. A file that was torn or edited says so.
import { sha256Hex } from '../../host/hash.ts';
import type { Stored } from './store.ts';

const HEAD = /^weft-store 1 ([1-9][0-9]{0,15}) ([0-9a-f]{64})$/;

export function sealValue({ value, revision }: Stored): string {
  return `weft-store 1 ${revision} ${sumOf(value, revision)}\n${value}`;
}

/** null: not what `sealValue` wrote. */
export function openValue(text: string): Stored | null {
  const end = text.indexOf('\n');
  const head = HEAD.exec(text.slice(0, Math.max(end, 0)));
  if (head === null) return null;
  const revision = Number(head[1]);
  const value = text.slice(end + 1);
  return sumOf(value, revision) === head[2] ? { value, revision } : null;
}

function sumOf(value: string, revision: number): string {
  return sha256Hex(`${revision}\n${value}`);
}
