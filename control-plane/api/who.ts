// Who did it, for logs and the audit log: the name in the certificate, or on the Unix socket what the caller says.
import type { Call } from './operation.ts';

/** UTF-16 units. */
const MOST_NAME = 1_024;

/** One line: it goes onto terminals. */
export function whoOf({ caller, body }: Pick<Call, 'caller' | 'body'>): string {
  if (caller.name !== '') return `${caller.name} (${caller.role})`;
  const who = typeof body === 'object' && body !== null && 'who' in body ? body.who : '';
  return typeof who === 'string' && who !== '' ? who.slice(0, MOST_NAME).replaceAll(/\p{Cc}/gu, ' ') : 'somebody';
}
