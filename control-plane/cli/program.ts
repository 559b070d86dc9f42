// The command line of `weft`: which commands there are and what they take. Every command's work is imported when it
// is asked for, so that `weft sidecar` loads nothing of `weft up`.
import { Command, CommanderError, Option } from 'commander';
import { MeshError } from '../../core/kit/error.ts';
import { nearestName } from '../../core/config/nearest.ts';
import { LOG_LEVELS, type LogLevel } from '../../host/log.ts';
import { readDuration } from '../../host/setting-kinds.ts';
import type { ComposeArgs } from './compose/command.ts';
import { addQuestions } from './explain/register.ts';
import type { NetnsCommand } from './netns/command.ts';
import type { NetnsFlags } from './netns/options.ts';
import { addDrain, addGet } from './get/register.ts';
import { addCa } from './ca/register.ts';
import { addBackup, addState } from './state/register.ts';
import type { TokenListArgs } from './token-list.ts';
import { programVersion } from './version.ts';

/** Runs `argv` (without node and script) and returns the exit code. Throws MeshError. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  let code = 0;
  const program = createProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // A command without its subcommand: commander's answer is the help text.
    if (error.code === 'commander.help') return printHelp(program, argv);
    throw usageError(error, program, argv);
  }
  return code;
}

function createProgram(finish: (code: number) => void): Command {
  const program = new Command('weft')
    .description('A service mesh and API gateway in one small program.')
    .version(programVersion(), '-V, --version')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError(false)
    .enablePositionalOptions();
  addInit(program, finish);
  addUp(program, finish);
  addPrograms(program);
  addCa(program, finish, print);
  addTokens(program);
  addValidate(program, finish);
  addState(program, finish, print, printError);
  addGet(program, finish, print, printError);
  addDrain(program, finish, print);
  addBackup(program, finish, print);
  addQuestions(program, finish, print, printError);
  addContainers(program, finish);
  addHosts(program, finish);
  addCompose(program, finish);
  program
    .command('version')
    .description('print the version')
    .action(() => print(programVersion()));
  return program;
}

function addInit(program: Command, finish: (code: number) => void): void {
  program
    .command('init')
    .description('write a commented weft.yaml that `weft up` runs as it is')
    .option('--dir <folder>', 'where', '.')
    .option('--force', 'write over a weft.yaml that is there', false)
    .action(async (options: { dir: string; force: boolean }) => {
      const { runInit } = await import('./init.ts');
      finish(await runInit(options, print));
    });
}

function addUp(program: Command, finish: (code: number) => void): void {
  program
    .command('up')
    .description('run a whole mesh on this machine: control plane, sidecars, edges and the services themselves')
    .argument('[file]', 'the configuration', 'weft.yaml')
    .addOption(
      new Option('--log-level <level>', "of Weft's own processes")
        .choices(LOG_LEVELS)

        .env('WEFT_LOG_LEVEL'),
    )
    .action(async (file: string, options: { logLevel?: LogLevel }) => {
      const { runUpCommand } = await import('./up/command.ts');
      finish(await runUpCommand(file, options));
    });
}

// Their settings are declared in host/: flags go on as they are, after a look for --help.
function addPrograms(program: Command): void {
  const pass = (name: string, description: string): Command =>
    program.command(name).description(description).argument('[words...]').allowUnknownOption().helpOption(false);
  for (const [name, description] of [
    ['control-plane', 'read the configuration, issue certificates, stream views to proxies'],
    ['edge', 'the front door; with --standalone FILE it needs no control plane'],
    ['sidecar', "a service's proxy"],
    ['run', 'a sidecar that starts the app and ends with it: weft run [options] -- COMMAND'],
  ] as const) {
    pass(name, description).action(async () => {
      const { becomeProgram } = await import('./become.ts');
      await becomeProgram(name);
    });
  }
}

function addTokens(program: Command): void {
  const token = program.command('token').description('join tokens');
  addTokenCare(token);
  token
    .command('create')
    .description('print a new token with which one process may join')
    .option('--service <name>', 'which service')
    .option('--edge <name>', 'or which edge')
    .option('--version <label>', 'version of the service')
    .option('--instance <name>', 'a fixed name for the instance')
    .option('--ttl <time>', 'how long it is valid', '1h')
    .option('--uses <count>', 'how many may join with it', '1')
    .option('--dir <folder>', 'state folder of the control plane', '.weft/control-plane')
    .option('--ca-dir <folder>', 'the authority', '.weft/ca')
    .option('--json', 'for programs', false)
    .action(async (options: TokenFlags) => {
      const { runTokenCreate } = await import('./token.ts');
      const { ttl, uses, ...rest } = options;
      await runTokenCreate({ ...rest, ttl: durationOf(ttl), uses: countOf(uses) }, process.stdout);
    });
}

function addTokenCare(token: Command): void {
  const DIR = ['--dir <folder>', 'state folder of the control plane', '.weft/control-plane'] as const;
  token
    .command('list')
    .description('which tokens there are, for whom, and what has become of them')
    .option(...DIR)
    .option('--json', 'for programs', false)
    .action(async (options: TokenListArgs) => {
      const { runTokenList } = await import('./token-list.ts');
      await runTokenList(options, print);
    });
  token
    .command('revoke')
    .description('nobody joins with this token any more')
    .argument('<id>', 'of `weft token list`, or how it begins')
    .option(...DIR)
    .option('--json', 'for programs', false)
    .action(async (id: string, options: TokenListArgs) => {
      const { runTokenRevoke } = await import('./token-list.ts');
      await runTokenRevoke({ id, ...options }, print);
    });
}

interface TokenFlags {
  readonly service?: string;
  readonly edge?: string;
  readonly version?: string;
  readonly instance?: string;
  readonly ttl: string;
  readonly uses: string;
  readonly dir: string;
  readonly caDir: string;
  readonly json: boolean;
}

function addValidate(program: Command, finish: (code: number) => void): void {
  program
    .command('validate')
    .description('report everything that is wrong with a configuration')
    .argument('[files...]', 'the configuration; several are merged; none: weft.yaml')
    .option('--json', 'for programs', false)
    .action(async (files: string[], options: { json: boolean }) => {
      const { runValidate } = await import('./validate.ts');
      finish(await runValidate({ files, json: options.json }, print));
    });
}

function addHosts(program: Command, finish: (code: number) => void): void {
  program
    .command('hosts')
    .description('print the hosts lines under which apps reach services by plain name')
    .argument('[file]', 'the configuration', 'weft.yaml')
    .option('--service <name>', 'only what this service calls')
    .option('--json', 'for programs', false)
    .action(async (file: string, options: { service?: string; json: boolean }) => {
      const { runHosts } = await import('./hosts.ts');
      finish(await runHosts({ file, service: options.service ?? null, json: options.json }, print, printError));
    });
}

// What the containers of a Compose project run beside the programs themselves.
function addContainers(program: Command, finish: (code: number) => void): void {
  const rules = (command: Command): Command =>
    command
      .option('--app-port <port>', 'where the app listens: drop what comes from outside; may be repeated', append, [])
      .option('--redirect <from=to>', 'what is sent to FROM goes to TO, on loopback; may be repeated', append, [])
      .option('--deny-egress', 'refuse whatever else leaves the namespace, but for DNS and the sidecar', false)
      .option('--proxy-user <uid>', "the sidecar's user, whose own calls are left alone (default: 15001)")
      .option('--backend <program>', 'iptables or nftables (default: what is installed, iptables first)');
  rules(program.command('netns'))
    .description('packet rules of a network namespace: guard the app behind its sidecar, redirect its calls')
    .option('--transparent <socket>', 'redirect calls of what this sidecar serves; its admin.sock, where it runs so')
    .option('--follow', 'go on, and change the rules as its callees come and go', false)
    .option('--print', 'show the rules and set none', false)
    .option('--remove', "take Weft's rules out again, whichever program set them", false)
    .action(async (options: NetnsCommand) => {
      const { runNetns } = await import('./netns/command.ts');
      await runNetns(options, print);
    });
  rules(program.command('pod'))
    .description('own the network namespace of a service and its sidecar: set the rules, then sleep')
    .option('--dir <folder>', 'where the pod says that its namespace is ready', '/run/weft')
    .option('--mesh-name <name>', 'its alias in a network of sidecars: nothing but its sidecar is reached there')
    .action(async (options: NetnsFlags & { dir: string; meshName?: string }) => {
      const { runPod } = await import('./pod/pod.ts');
      await runPod({ ...options, meshName: options.meshName ?? null }, print);
    });
  program
    .command('compose-init')
    .description('make the authority and what each instance needs to join; changes nothing that is good')
    .argument('<instance...>', 'as in orders-v2-1=orders@v2 or edge-main=edge:main')
    .option('--config <file>', 'the configuration; may be repeated', append, [])
    .option('--ca-dir <folder>', 'the authority', '.weft/ca')
    .option('--dir <folder>', 'state folder of the control plane', '.weft/control-plane')
    .option('--instances <folder>', "every instance's state folder, under its name", '/instances')
    .option('--ttl <time>', 'how long a token is valid', '1h')
    .action(async (members: string[], options: ComposeInitFlags) => {
      const { runComposeInit } = await import('./compose-init/compose-init.ts');
      const { takeFolders } = await import('./pod/privileges.ts');
      const { dir: stateDir, ttl, config, ...rest } = options;
      const files = config.length === 0 ? ['weft.yaml'] : config;
      finish(
        await runComposeInit({ ...rest, config: files, members, stateDir, ttl: durationOf(ttl) }, takeFolders, print),
      );
    });
  program
    .command('health')
    .description('ask the status port of this machine whether its program is ready')
    .action(async () => {
      const { askHealth } = await import('./health/health.ts');
      const { ready, said } = await askHealth(process.env);
      print(said);
      finish(ready ? 0 : 1);
    });
}

function addCompose(program: Command, finish: (code: number) => void): void {
  program
    .command('compose')
    .description('put the services of a compose file into a mesh: writes weft.yaml and compose.weft.yml beside it')
    .argument('[file]', 'the compose file; none: the one that Compose would take')
    .option('--check', 'say what it would do and what it cannot, and write nothing', false)
    .option('--force', 'write over files that are there', false)
    .option('--image <name>', "Weft's image", 'weft:dev')
    .option('--pod-image <name>', 'its target netns', 'weft:netns')
    .option('--out <folder>', 'where to write; default: beside the compose file')
    .option('--http <service>', 'it speaks HTTP, also as SERVICE:PORT; may be repeated', append, [])
    .option('--outside <service>', 'it stays outside the mesh; may be repeated', append, [])
    .action(async (file: string | undefined, options: Omit<ComposeArgs, 'file' | 'out'> & { out?: string }) => {
      const { runCompose, system } = await import('./compose/command.ts');
      const args = { ...options, file: file ?? null, out: options.out ?? null };
      finish(await runCompose(args, system, print, printError));
    });
}

interface ComposeInitFlags {
  readonly config: readonly string[];
  readonly caDir: string;
  readonly dir: string;
  readonly instances: string;
  readonly ttl: string;
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function printError(line: string): void {
  process.stderr.write(`${line}\n`);
}

function durationOf(text: string): number {
  const value = readDuration(text);
  if (value.ok) return value.value;
  throw new MeshError('usage', { detail: `--ttl needs ${value.error}, found '${text}'`, hint: 'as in 1h' });
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new MeshError('usage', { detail: `--uses needs a number from 1, found '${text}'`, hint: 'as in 3' });
}

function printHelp(program: Command, argv: readonly string[]): number {
  process.stderr.write(commandOf(program, argv).helpInformation());
  return 2;
}

function usageError(error: CommanderError, program: Command, argv: readonly string[]): MeshError {
  // commander says `error: …` and may go on in further lines.
  const detail = (error.message.split('\n')[0] ?? '').replace(/^error: /, '');
  return new MeshError('usage', { detail, hint: hintFor(error, program, argv) });
}

function hintFor(error: CommanderError, program: Command, argv: readonly string[]): string {
  const command = commandOf(program, argv);
  const name = command === program ? 'weft' : `weft ${pathOf(command)}`;
  const unknownOption = error.code === 'commander.unknownOption';
  const known = unknownOption ? [] : command.commands.map((sub) => sub.name());
  const wrong = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const near = unknownOption
    ? nearestName(
        wrong,
        command.options.map(({ long }) => long ?? ''),
      )
    : nearestName(wrong, known);
  if (near !== null && near !== '') return `did you mean ${near}?`;
  return known.length > 0 ? `known: ${known.join(', ')}` : `see ${name} --help`;
}

function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((sub) => sub.name() === word);
    if (next === undefined) break;
    command = next;
  }
  return command;
}

function pathOf(command: Command): string {
  const above = command.parent;
  return above === null || above.parent === null ? command.name() : `${pathOf(above)} ${command.name()}`;
}
