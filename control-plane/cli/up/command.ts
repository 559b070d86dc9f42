// `weft up` as a command: signals, terminal and working directory come in here.
import type { LogLevel } from '../../../host/log.ts';
import { watchStopSignals } from '../../../host/signals.ts';
import { entryOf } from '../entry.ts';
import { runUp } from './up.ts';

export async function runUpCommand(file: string, options: { readonly logLevel: LogLevel }): Promise<number> {
  const signals = watchStopSignals();
  try {
    return await runUp(
      {
        file,
        folder: process.cwd(),
        env: process.env,
        logLevel: options.logLevel,
        // https://no-color.org
        colour: process.stdout.isTTY && !process.env['NO_COLOR'],
        proxyEntry: entryOf('proxy'),
        controlPlaneEntry: entryOf('control-plane'),
        out: process.stdout,
        err: process.stderr,
      },
      signals,
    );
  } finally {
    signals.close();
  }
}
