// `weft control-plane|edge|sidecar|run`: this process becomes that program, with the same pid.
import { CONTROL_PLANE_SETTINGS } from '../../host/control-plane-settings.ts';
import { becomeNode, becomeProxy } from '../../host/exec.ts';
import { EDGE_SETTINGS, SIDECAR_SETTINGS } from '../../host/proxy-settings.ts';
import { settingsHelp } from '../../host/settings.ts';
import { entryOf } from './entry.ts';

type Program = 'control-plane' | 'edge' | 'sidecar' | 'run';

const SETTINGS = {
  'control-plane': CONTROL_PLANE_SETTINGS,
  edge: EDGE_SETTINGS,
  sidecar: SIDECAR_SETTINGS,
  run: SIDECAR_SETTINGS,
} as const;

/** Flags are taken from the command line as they stand: commander would reorder them around `--`. */
export function becomeProgram(program: Program): void {
  const args = process.argv.slice(process.argv.indexOf(program) + 1);
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (own.some((word) => word === '--help' || word === '-h')) {
    const command = program === 'run' ? ' -- COMMAND' : '';
    process.stdout.write(
      `Usage: weft ${program} [options]${command}\n\nOptions:\n${settingsHelp(SETTINGS[program])}\n`,
    );
    return;
  }
  if (program === 'control-plane') becomeNode(entryOf('control-plane'), args);
  becomeProxy(entryOf('proxy'), [program, ...args]);
}
