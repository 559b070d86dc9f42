// The commands that answer questions about a mesh, as the command line takes them.
import { type Command, Option } from 'commander';
import { MeshError } from '../../../core/kit/error.ts';
import { type ApiFlags, withApi } from '../api/flags.ts';

type Finish = (code: number) => void;
type Print = (line: string) => void;

interface ExplainFlags extends ApiFlags {
  readonly from?: string;
  readonly header: readonly string[];
  readonly config: readonly string[];
  readonly proxy?: string;
  readonly decision?: string;
  readonly instance?: string;
  readonly output: string;
}

export function addQuestions(program: Command, finish: Finish, print: Print, complain: Print): void {
  addCheck(program, finish, print);
  const explain = program
    .command('explain')
    .description(
      'say what becomes of a request: route, authorization, instances, retries, time-outs, each with its line',
    )
    .argument('[request...]', "method and URL, as in 'POST https://api.shop.test/api/orders'")
    .option('--from <service>', 'who calls; default: a client outside, at an edge')
    .option('-H, --header <field>', "as in 'x-beta: 1'; may be repeated", append, [])
    .option('--config <file>', 'ask this configuration in place of the control plane; may be repeated', append, [])
    .option('--proxy <folder>', 'state folder of the proxy that forwards: what its balancer sees')
    .option('--decision <id>', 'in place of a request: why was this one denied?')
    .option('--instance <name>', 'of which proxy the decision is; default: all are asked')
    .addOption(output());
  withApi(explain).action(async (words: readonly string[], options: ExplainFlags) => {
    const request = words.join(' ');
    const { from = null, header: headers, config: files, proxy = null, decision, instance = null, ...flags } = options;
    if (decision !== undefined) {
      if (request !== '') throw usage('--decision goes without a request');
      const { runDecision } = await import('./decision.ts');
      return finish(await runDecision({ ...flags, decision, instance, proxy, files }, print, complain));
    }
    if (request === '') throw usage('no request to explain', "as in 'POST https://api.shop.test/api/orders'");
    const { runExplain } = await import('./explain.ts');
    finish(await runExplain({ ...flags, request, from, headers, proxy, files }, print, complain));
  });
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}

interface CheckFlags extends ApiFlags {
  readonly strict: boolean;
  readonly output: string;
  readonly caDir: string;
}

function addCheck(program: Command, finish: Finish, print: Print): void {
  const check = program
    .command('check')
    .description('say whether this mesh is healthy: each line ok, warning or error with its remedy')
    .option('--strict', 'warnings count as errors', false)
    .option('--ca-dir <folder>', 'the authority, where it is on this machine', '.weft/ca')
    .addOption(output());
  withApi(check).action(async (flags: CheckFlags) => {
    const { runCheck } = await import('./check.ts');
    finish(await runCheck(flags, Date.now, print));
  });
}

function output(): Option {
  return new Option('-o, --output <form>', 'for people or for programs').choices(['text', 'json']).default('text');
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
