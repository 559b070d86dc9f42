// The commands about what is in force, as the command line takes them.
import type { Command } from 'commander';
import { withApi, type ApiFlags } from '../api/flags.ts';

type Finish = (code: number) => void;
type Print = (line: string) => void;

const DIR = ['--dir <folder>', 'state folder of the control plane', '.weft/control-plane'] as const;

export function addState(program: Command, finish: Finish, print: Print, complain: Print): void {
  withApi(
    program
      .command('plan')
      .description('say what a configuration would change and for which proxies, and change nothing')
      .argument('[files...]', 'the configuration; several are merged; none: weft.yaml')
      .option('--from <file>', 'compare with this file instead of what runs; may be repeated', append, [])
      .option('--json', 'for programs', false),
  ).action(async (files: string[], options: ChangeFlags & { from: readonly string[] }) => {
    const { runPlan } = await import('./changes.ts');
    finish(await runPlan({ files, ...options }, print, complain));
  });
  putting(
    program
      .command('apply')
      .description('put a configuration in force, until a watched file is edited; it is kept across restarts')
      .argument('[files...]', 'the configuration; several are merged; none: weft.yaml'),
  ).action(async (files: string[], options: PutFlags) => {
    const { runApply } = await import('./changes.ts');
    finish(await runApply({ files, ...options }, print, complain));
  });
  putting(
    program
      .command('rollback')
      .description('put a configuration in force again that was before')
      .argument('<hash>', 'of `weft get snapshots`, or how it begins'),
  ).action(async (hash: string, options: PutFlags) => {
    const { runRollback } = await import('./changes.ts');
    finish(await runRollback({ hash, ...options }, print, complain));
  });
}

interface ChangeFlags extends ApiFlags {
  readonly json: boolean;
}

interface PutFlags extends ChangeFlags {
  readonly ifMatch?: string;
}

function putting(command: Command): Command {
  return withApi(
    command
      .option('--if-match <hash>', 'only if this snapshot is in force, as `weft plan` has said it')
      .option('--json', 'for programs', false),
  );
}

interface BackupFlags {
  readonly dir: string;
  readonly caDir: string;
  readonly withCa: boolean;
}

/** Its state in one file, and back. */
export function addBackup(program: Command, finish: Finish, print: Print): void {
  const CA_DIR = ['--ca-dir <folder>', 'the authority', '.weft/ca'] as const;
  program
    .command('backup')
    .description('save the state of the control plane, secrets included, in one file; it may go on running')
    .argument('<file>', 'the backup, mode 0600; an older backup is replaced')
    .option('--with-ca', 'the keys of the authority too', false)
    .option(...DIR)
    .option(...CA_DIR)
    .action(async (file: string, options: BackupFlags) => {
      const { runBackup } = await import('./backup.ts');
      finish(await runBackup({ file, ...options }, Date.now(), print));
    });
  program
    .command('restore')
    .description('put a backup in the place of the state of a control plane that does not run')
    .argument('<file>', 'made by `weft backup`')
    .option('--with-ca', 'the authority too', false)
    .option('--force', 'move aside what is there', false)
    .option(...DIR)
    .option(...CA_DIR)
    .action(async (file: string, options: BackupFlags & { force: boolean }) => {
      const { runRestore } = await import('./backup.ts');
      finish(await runRestore({ file, ...options }, Date.now(), print));
    });
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
