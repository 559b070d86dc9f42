// The program `weft`.
import { exitOnUncaught, exitWithError } from '../../host/exit.ts';
import { runCommandLine } from './program.ts';

exitOnUncaught();
try {
  // exit, not exitCode: what still listens or waits has nothing more to say.
  process.exit(await runCommandLine(process.argv.slice(2)));
} catch (error) {
  exitWithError(error);
}
