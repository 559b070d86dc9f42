// `weft edge|sidecar|run|control-plane` become another program, with the same pid and its own V8 flags.
import { CONTROL_PLANE_SETTINGS } from '../../host/control-plane-settings.ts';
import { becomeControlPlane, becomeProxy } from '../../host/exec.ts';
import { EDGE_SETTINGS, SIDECAR_SETTINGS } from '../../host/proxy-settings.ts';
import { settingsHelp } from '../../host/settings.ts';
import { entryOf } from './entry.ts';

type Program = 'control-plane' | 'edge' | 'sidecar' | 'run';

const ABOUT = {
  'control-plane': 'Reads the configuration, issues certificates, streams views to proxies.',
  edge: 'The front door; with --standalone FILE it needs no control plane.',
  sidecar: "A service's proxy: takes its calls in and leads its own calls out, over mutual TLS.",
  run: 'A sidecar that starts the app once it has certificate and configuration, and ends with its exit code.',
} as const;

const ARGUMENTS = { 'control-plane': ' [FILE…]', edge: '', sidecar: '', run: ' -- COMMAND' } as const;

const SETTINGS = {
  'control-plane': CONTROL_PLANE_SETTINGS,
  edge: EDGE_SETTINGS,
  sidecar: SIDECAR_SETTINGS,
  run: SIDECAR_SETTINGS,
} as const;

/** Flags are taken from the command line as they stand: commander would reorder them around `--`. */
export async function becomeProgram(program: Program): Promise<void> {
  const args = process.argv.slice(process.argv.indexOf(program) + 1);
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (own.some((word) => word === '--help' || word === '-h')) {
    const usage = `Usage: weft ${program} [options]${ARGUMENTS[program]}`;
    process.stdout.write(`${usage}\n\n${ABOUT[program]}\n\nOptions:\n${settingsHelp(SETTINGS[program])}\n`);
    return;
  }
  if (program !== 'control-plane') becomeProxy(entryOf('proxy'), [program, ...args]);
  becomeControlPlane(entryOf('control-plane'), args);
  const { runControlPlane } = await import('../run.ts');
  await runControlPlane(args, process.env);
}
