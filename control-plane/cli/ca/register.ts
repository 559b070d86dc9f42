// `weft ca …` and `weft token …`, as the command line takes them.
import { Option, type Command } from 'commander';
import { KEY_KINDS, type KeyKind } from '../../../certs/x509/key.ts';
import type { CaImportArgs } from './import.ts';
import type { CaInitArgs } from './init.ts';
import type { CaExportArgs } from './export.ts';
import type { CaInspectArgs } from './inspect.ts';
import type { CaIssueArgs } from './issue.ts';
import type { CaStatusArgs } from './status.ts';
import type { CaVerifyArgs } from './verify.ts';

type Finish = (code: number) => void;
type Print = (line: string) => void;

const DIR = ['--dir <folder>', 'the authority', '.weft/ca'] as const;
const JSON_FLAG = ['--json', 'for programs', false] as const;

export function addCa(program: Command, finish: Finish, print: Print): void {
  const ca = program.command('ca').description('the certificate authority');
  addInit(ca, print);
  addImport(ca, print);
  addIssue(ca, print);
  addInspect(ca, finish, print);
  addVerify(ca, finish, print);
  addStatus(ca, finish, print);
  addExport(ca, print);
}

function addInit(ca: Command, print: Print): void {
  ca.command('init')
    .description('make the authority: a root and an intermediate, files 0600')
    .option(...DIR)
    .option('--trust-domain <name>', 'default: mesh.trustDomain of weft.yaml in this folder, else weft.local')
    .addOption(keyKind('of root and intermediate'))
    .option('--svid-life <time>', 'how long identities are valid, 1h to 90d', '72h')
    .addOption(passphrase('a file with the passphrase that encrypts the keys'))
    .option('--sign-command <words>', 'a program that signs in place of the intermediate key, for key services')
    .option('--public-key <file>', 'with it: the key that it signs with; PEM')
    .option(...JSON_FLAG)
    .action(async (options: CaInitArgs) => {
      const { runCaInit } = await import('./init.ts');
      await runCaInit(options, print);
    });
}

function addImport(ca: Command, print: Print): void {
  ca.command('import')
    .description('make the authority from a root or an intermediate that is there already')
    .option(...DIR)
    .requiredOption('--trust-domain <name>', 'as in the configuration, mesh.trustDomain')
    .option('--cert <file>', 'the root or intermediate, and whatever it leads to; PEM, may be repeated', append, [])
    .option('--key <file>', 'its key; PEM')
    .option('--pkcs12 <file>', 'both in one file')
    .option('--password-file <file>', 'a file with the password of the key or the PKCS#12 file')
    .option('--roots <file>', 'with an intermediate: the root that it leads to; PEM')
    .option('--sign-command <words>', 'in place of a key: a program that signs')
    .option('--keep-root-key', 'with a root: keep its key in the folder', false)
    .addOption(keyKind('with a root: of the intermediate that is made'))
    .option('--svid-life <time>', 'how long identities are valid, 1h to 90d', '72h')
    .addOption(passphrase('a file with the passphrase that encrypts the keys in the folder'))
    .option(...JSON_FLAG)
    .action(async (options: CaImportArgs) => {
      const { runCaImport } = await import('./import.ts');
      await runCaImport(options, print);
    });
}

function addIssue(ca: Command, print: Print): void {
  ca.command('issue')
    .description('make a certificate for what cannot join by itself; writes PREFIX.pem, PREFIX.key and PREFIX.ca.pem')
    .requiredOption('--out <prefix>', 'where to write')
    .option('--service <name>', 'a service of the mesh: an SVID')
    .option('--server <host>', 'a server outside the mesh; may be repeated', append, [])
    .option('--client <name>', 'a person or machine outside the mesh, as in alice@shop.test')
    .option('--operator <name>', 'somebody who uses the API of the control plane')
    .option('--role <role>', 'with it: reader, operator or admin (default: reader)')
    .option('--life <time>', 'how long it is valid (default: 90d; an SVID: as the authority has it, 72h)')
    .addOption(keyKind('of the key'))
    .option('--csr <file>', 'sign this request, whose key stays where it is; PEM')
    .addOption(new Option('--format <format>', 'pkcs12: one file PREFIX.p12').choices(['pem', 'pkcs12']).default('pem'))
    .option('--password-file <file>', 'with pkcs12: a file with its password')
    .addOption(passphrase("a file with the passphrase that opens the authority's key"))
    .option('--force', 'write over files that are there', false)
    .option(...DIR)
    .option(...JSON_FLAG)
    .action(async (options: CaIssueArgs) => {
      const { runCaIssue } = await import('./issue.ts');
      await runCaIssue(options, print);
    });
}

function addInspect(ca: Command, finish: Finish, print: Print): void {
  ca.command('inspect')
    .description(
      'say in plain words what is in a file, or what a live server shows; exit code 1 where something is wrong',
    )
    .argument('<what>', 'a file: PEM, DER or PKCS#12; or HOST:PORT')
    .option('--password-file <file>', 'a file with the password of a PKCS#12 file or an encrypted key')
    .option('--name <host>', 'with HOST:PORT: ask for this name')
    .option(...JSON_FLAG)
    .action(async (what: string, options: Omit<CaInspectArgs, 'what'>) => {
      const { runCaInspect } = await import('./inspect.ts');
      finish(await runCaInspect({ what, ...options }, print));
    });
}

function addVerify(ca: Command, finish: Finish, print: Print): void {
  ca.command('verify')
    .description('would this certificate be accepted, and if not, why not; exit code 1 where it is refused')
    .argument('<what>', 'a file: PEM, DER or PKCS#12; or HOST:PORT')
    .option(...DIR)
    .option('--roots <file>', 'trust these in place of the authority; PEM')
    .addOption(new Option('--for <role>', 'what it is used as').choices(['client', 'server']))
    .option('--service <name>', 'it must be this service')
    .option('--host <name>', 'it must be for this host name or address')
    .option('--crl <file>', 'a list of revoked certificates, PEM; may be repeated', append, [])
    .option('--at <moment>', 'then, in place of now')
    .option('--password-file <file>', 'a file with the password of a PKCS#12 file')
    .option('--name <host>', 'with HOST:PORT: ask for this name')
    .option(...JSON_FLAG)
    .action(async (what: string, options: Omit<CaVerifyArgs, 'what'>) => {
      const { runCaVerify } = await import('./verify.ts');
      finish(await runCaVerify({ what, ...options }, print));
    });
}

function addStatus(ca: Command, finish: Finish, print: Print): void {
  ca.command('status')
    .description('what the authority is, how long it lasts, where its keys are; exit code 1 within 30 days of its end')
    .option(...DIR)
    .option('--issued', 'every certificate that `weft ca issue` made and that is valid', false)
    .option(...JSON_FLAG)
    .action(async (options: CaStatusArgs) => {
      const { runCaStatus } = await import('./status.ts');
      finish(await runCaStatus(options, print));
    });
}

function addExport(ca: Command, print: Print): void {
  ca.command('export')
    .description('print or write the roots of the mesh; with --with-key the intermediate and its key')
    .option(...DIR)
    .addOption(
      new Option('--format <format>', 'jwks: a SPIFFE bundle; pkcs12: with the key')
        .choices(['pem', 'der', 'jwks', 'pkcs12'])
        .default('pem'),
    )
    .option('--chain', 'the intermediates too', false)
    .option('--out <file>', 'where to write; default: standard output')
    .option('--with-key', 'yes, the private key of the authority', false)
    .option('--password-file <file>', 'with pkcs12: a file with its password')
    .addOption(passphrase("a file with the passphrase that opens the authority's key"))
    .option('--force', 'write over a file that is there', false)
    .option(...JSON_FLAG)
    .action(async (options: CaExportArgs) => {
      const { runCaExport } = await import('./export.ts');
      await runCaExport(options, print);
    });
}

function keyKind(what: string): Option {
  const usual: KeyKind = 'p256';
  return new Option('--key-kind <kind>', what).choices(KEY_KINDS).default(usual);
}

function passphrase(what: string): Option {
  return new Option('--passphrase-file <file>', what).env('WEFT_CA_PASSPHRASE_FILE');
}

function append(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
