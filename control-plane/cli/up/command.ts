// `weft up` as a command: signals, terminal and working directory come in here.
import type { LogLevel } from '../../../host/log.ts';
import { type StopSignals, watchStopSignals } from '../../../host/signals.ts';
import { entryOf } from '../entry.ts';
import { runUp } from './up.ts';

export async function runUpCommand(file: string, options: { readonly logLevel?: LogLevel }): Promise<number> {
  const signals = watchStopSignals();
  const orphaned = process.env['npm_command'] === undefined ? undefined : watchParent(signals);
  try {
    return await runUp(
      {
        file,
        folder: process.cwd(),
        env: process.env,
        logLevel: options.logLevel ?? null,
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
    clearInterval(orphaned);
    signals.close();
  }
}

// npx puts a shell between itself and us, and a SIGTERM to npx ends that shell alone.
function watchParent(signals: StopSignals): NodeJS.Timeout {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    signals.requestStop('npm has gone');
  }, 500);
  return timer.unref();
}
