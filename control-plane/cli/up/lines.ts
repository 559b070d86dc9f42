// A child's output, cut into lines.
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

// A line without end must not grow without end.
const LONGEST_LINE = 16_384;

/** Calls back for every line, without its break; a last line without one comes at the end. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line.replace(/\r$/, ''));
    if (rest.length > LONGEST_LINE) {
      onLine(rest);
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
  stream.on('error', () => {});
}
