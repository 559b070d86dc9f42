// The program `weft`.
import { exitOnUncaught, exitWithError } from '../../host/exit.ts';
import { runCommandLine } from './program.ts';

exitOnUncaught();
try {
  exitFlushed(await runCommandLine(process.argv.slice(2)));
} catch (error) {
  exitWithError(error);
}

// A pipe may still hold output; one that nobody reads must not keep the program.
function exitFlushed(code: number): void {
  setTimeout(() => process.exit(code), 1_000).unref();
  process.stdout.write('', () => process.exit(code));
}
