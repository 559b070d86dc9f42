// What a change does, as lines for people: settings first, then whose views become others.
import type { Difference } from '../../../core/explain/difference.ts';

type Proxies = Readonly<Record<string, readonly string[]>>;

/** Of one kind; --json has all. */
const MOST_LINES = 100;

/** @param proxies account → its connected proxies; null where nobody was asked */
export function differenceLines({ settings, accounts }: Difference, proxies: Proxies | null): readonly string[] {
  const running =
    proxies === null ? 0 : accounts.reduce((sum, { account }) => sum + (proxies[account]?.length ?? 0), 0);
  const connected = proxies === null ? '' : ` (${count(running, 'connected proxy', 'connected proxies')})`;
  const who = `${count(accounts.length, 'view')}${connected}`;
  return [
    `${count(settings.length, 'setting')}:`,
    ...bounded(settings.map(({ path, words }) => `  ${path}: ${words}`)),
    `${who}:`,
    ...bounded(accounts.map(({ account, words }) => `  ${account}${instances(proxies?.[account])}: ${words}`)),
  ];
}

function instances(names: readonly string[] | undefined): string {
  return names === undefined || names.length === 0
    ? ''
    : ` (${names.slice(0, 4).join(', ')}${names.length > 4 ? ', …' : ''})`;
}

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_LINES) return lines;
  return [...lines.slice(0, MOST_LINES), `  and ${lines.length - MOST_LINES} more (--json has all)`];
}

function count(number: number, noun: string, nouns = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : nouns}`;
}
