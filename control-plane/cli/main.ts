// The program `weft`.
import { exitOnUncaught, exitWithError } from '../../host/exit.ts';
import { runCommandLine } from './program.ts';

exitOnUncaught();
try {
  process.exitCode = await runCommandLine(process.argv.slice(2));
} catch (error) {
  exitWithError(error);
}
