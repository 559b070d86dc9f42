// `weft get` and `weft drain`, as the command line takes them.
import { Option, type Command } from 'commander';
import { watchStopSignals } from '../../../host/signals.ts';
import { withApi, type ApiFlags } from '../api/flags.ts';
import { FORMATS, type Format } from './formats.ts';

type Finish = (code: number) => void;
type Print = (line: string) => void;

export function addDrain(program: Command, finish: Finish, print: Print): void {
  withApi(
    program
      .command('drain')
      .description('take an instance out of every view, so that nobody calls it any more; it goes on running')
      .argument('<instance>', 'its name, as in `weft get proxies`')
      .option('--undo', 'let it back', false)
      .option('--json', 'for programs', false),
  ).action(async (instance: string, options: ApiFlags & { undo: boolean; json: boolean }) => {
    const { runDrain } = await import('./drain.ts');
    finish(await runDrain({ instance, ...options }, print));
  });
}

interface GetFlags extends ApiFlags {
  readonly watch: boolean;
  readonly output: Format;
  readonly json: boolean;
}

export function addGet(program: Command, finish: Finish, print: Print, complain: Print): void {
  withApi(
    program
      .command('get')
      .description('show what the control plane knows')
      .argument('<kind>', 'proxies, services, routes, certificates or snapshots')
      .argument('[name]', 'one of them; of a hash or serial its beginning is enough')
      .addOption(new Option('-o, --output <format>', 'how').choices(FORMATS).default('table'))
      .option('--json', 'as -o json', false)
      .option('-w, --watch', 'go on, and show what changes', false),
  ).action(async (kind: string, name: string | undefined, options: GetFlags) => {
    const { runGet } = await import('./get.ts');
    const signals = watchStopSignals();
    // Whoever reads has seen enough: `weft get proxies --watch | head`.
    process.stdout.once('error', () => signals.requestStop('nobody reads'));
    try {
      finish(
        await runGet({ kind, ...(name === undefined ? {} : { name }), ...options }, signals.stop, print, complain),
      );
    } finally {
      signals.close();
    }
  });
}
