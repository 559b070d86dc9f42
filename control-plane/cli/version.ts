// The version of the package that this program belongs to.
import { readFileSync } from 'node:fs';

/** From the nearest package.json above: the same in the source tree and in the built package. */
export function programVersion(): string {
  const inSource = import.meta.url.endsWith('.ts');
  const text = readFileSync(new URL(inSource ? '../../package.json' : '../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version?: unknown };
  return typeof version === 'string' ? version : '0.0.0';
}
