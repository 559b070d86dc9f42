// The proxy's program: `edge`, `sidecar` or `run`, with settings from flags, environment and file.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { MeshError } from '../core/kit/error.ts';
import { exitOnUncaught, exitWithError } from '../host/exit.ts';
import { EDGE_SETTINGS, SIDECAR_SETTINGS } from '../host/proxy-settings.ts';
import { readSettings } from '../host/settings.ts';
import type { WorkerData } from './mode/workers/contract.ts';

async function main(argv: readonly string[]): Promise<number> {
  const [role = '', ...rest] = argv;
  switch (role) {
    case 'edge': {
      const { settings, words } = await readSettings(EDGE_SETTINGS, rest, process.env);
      refuseWords(words, settings.standalone === null ? 'a file goes behind --standalone' : 'see weft edge --help');
      if (settings.standalone !== null) {
        // Lazily: a proxy of a mesh parses no YAML and loads no schema.
        const { runStandalone } = await import('./mode/standalone-main.ts');
        return runStandalone(settings, settings.standalone);
      }
      const { runEdge } = await import('./mode/edge-main.ts');
      return runEdge(settings);
    }
    case 'sidecar':
    case 'run': {
      const { settings, command, words } = await readSettings(SIDECAR_SETTINGS, rest, process.env);
      refuseWords(words, role === 'run' ? "the app's command goes behind --" : 'see weft sidecar --help');
      if ((role === 'run') !== (command !== null && command.length > 0)) {
        const detail = role === 'run' ? 'there is no command to run' : '`weft sidecar` runs no command';
        throw new MeshError('usage', { detail, hint: 'weft run [OPTIONS] -- COMMAND starts an app' });
      }
      const { runSidecar } = await import('./mode/sidecar-main.ts');
      return runSidecar(settings, role === 'run' ? command : null);
    }
    default:
      throw new MeshError('usage', { detail: `unknown role '${role}'`, hint: 'edge, sidecar or run' });
  }
}

function refuseWords(words: readonly string[], hint: string): void {
  if (words[0] !== undefined) throw new MeshError('usage', { detail: `unexpected '${words[0]}'`, hint });
}

if (isMainThread || parentPort === null) {
  exitOnUncaught();
  main(process.argv.slice(2)).then((code) => process.exit(code), exitWithError);
} else {
  const { runWorker } = await import('./mode/workers/worker.ts');
  // By the thread of the process, which is this program.
  runWorker(workerData as WorkerData, parentPort);
}
