// The log of every process: one JSON object per line, on stdout or stderr, secrets taken out.
import { pino } from 'pino';
import type { Log } from '../core/kit/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** Who writes: `orders`, `edge-main`, `control-plane`. */
  readonly name: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default stdout. */
  readonly to?: 'stdout' | 'stderr' | LogSink;
}

/** Where a test reads the lines. */
export interface LogSink {
  write(line: string): void;
}

// Also one level down, as in `{ request: { token } }`. Values of these names never reach a log.
const SECRET_FIELDS = [
  'token',
  'secret',
  'password',
  'authorization',
  'cookie',
  'apiKey',
  'privateKey',
  'key',
  'csr',
  'env',
];

export function createLog(options: LogOptions): Log {
  const { to = 'stdout' } = options;
  return pino(
    {
      level: options.level ?? 'info',
      base: { name: options.name },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]), censor: '[redacted]' },
    },
    // Synchronous: the line before a crash is the one that matters, and there are no worker files to bundle.
    typeof to === 'object' ? to : pino.destination({ dest: to === 'stdout' ? 1 : 2, sync: true }),
  );
}
