// Entry of the control plane's process.
import { exitOnUncaught, exitWithError } from '../host/exit.ts';
import { runControlPlane } from './run.ts';

exitOnUncaught();
runControlPlane(process.argv.slice(2), process.env).then(() => process.exit(0), exitWithError);
