// A mesh on two machines: `near` is one service with its sidecar, `far` has everything else. What an app of far says tells
// whether a call came by the mesh: the apps of services listen on loopback alone.
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { APP, join2, type Machine, makeMachine, type Output, ROOT, type Running, SIDECAR } from './namespace.ts';

export const [NEAR, FAR, FAR6] = ['10.99.0.2', '10.99.0.1', 'fd99::1'];
const WEFT = join(import.meta.dirname, '../../control-plane/cli/main.ts');
const PEER_FILE = join(import.meta.dirname, 'peer.ts');
/** For a shell. */
export const PEER = `'${process.execPath}' '${PEER_FILE}'`;

/** `same…` listen on the port of the caller itself. `outside` has no sidecar; `elsewhere` is no service. */
const CONFIG = `version: 1
mesh: { trustDomain: netns.test }
services:
  web: { port: 8080, calls: [hello, greeter, line, same, samegrpc, sametcp, outside] }
  job: { calls: [hello, greeter, line] }
  hello: { port: 4400 }
  greeter: { port: 4401, protocol: grpc }
  line: { port: 4402, protocol: tcp }
  same: { port: 8080 }
  samegrpc: { port: 8080, protocol: grpc }
  sametcp: { port: 8080, protocol: tcp }
  outside: { endpoints: ["${FAR}:4500", "[${FAR6}]:4500"] }
`;

/** Service → where its app listens on far's loopback, what it speaks, and its sidecar's port. */
const CALLEES = [
  { name: 'hello', kind: 'http', app: 4400, inbound: 15_106 },
  { name: 'greeter', kind: 'grpc', app: 4401, inbound: 15_206 },
  { name: 'line', kind: 'tcp', app: 4402, inbound: 15_506 },
  { name: 'same', kind: 'http', app: 4403, inbound: 15_306 },
  { name: 'samegrpc', kind: 'grpc', app: 4404, inbound: 15_406 },
  { name: 'sametcp', kind: 'tcp', app: 4405, inbound: 15_606 },
] as const;

export interface TwoMachines {
  readonly near: Machine;
  readonly far: Machine;
  readonly folder: string;
  /** Admin socket of near's sidecar. */
  readonly admin: string;
  /** \`weft …\` on near, as root. Throws where it fails. */
  weft(...args: readonly string[]): Promise<string>;
  /** The same, until the test ends. */
  startWeft(...args: readonly string[]): Running;
  /** Rewrites the configuration, which the control plane watches. */
  configure(change: (text: string) => string): void;
  /** As the app of near. */
  curl(...args: readonly string[]): Promise<Output>;
  /** The program of peer.ts, as the app of near. */
  peer(...args: readonly string[]): Promise<string>;
  peerWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<string>;
  /** A sidecar's command line on near: `weft run -- COMMAND` as the service job. */
  runJob(...command: readonly string[]): Promise<string>;
}

export async function twoMachines(t: TestContext): Promise<TwoMachines> {
  const folder = await temporaryFolder(t);
  const near = await makeMachine(t, folder, 'near');
  const far = await makeMachine(t, folder, 'far');
  await join2(near, far, [
    [`${NEAR}/24`, 'fd99::2/64'],
    [`${FAR}/24`, `${FAR6}/64`],
  ]);
  // Somebody else's rule, which stays.
  await near.run(ROOT, ['iptables', '-A', 'OUTPUT', '-d', '192.0.2.1', '-j', 'DROP']);
  writeFileSync(join(folder, 'weft.yaml'), CONFIG);
  chownSync(folder, SIDECAR, SIDECAR);
  const weft = [process.execPath, WEFT];
  const token = async (service: string): Promise<string> => {
    const { stdout } = await inFolder(near, folder, [...weft, 'token', 'create', '--service', service]);
    return stdout.trim();
  };
  await inFolder(near, folder, [...weft, 'ca', 'init', '--trust-domain', 'netns.test']);
  const plane = far.start(
    SIDECAR,
    [...weft, 'control-plane', 'weft.yaml', '--discovery', `${FAR}:15012`, '--join', `${FAR}:15013`],
    {
      cwd: folder,
    },
  );
  await eventually(() => plane.output().includes('control plane listens'), 20_000).catch(() => fail(plane.output()));
  const apps = CALLEES.flatMap(({ name, kind, app }) => [name, kind, String(app), '127.0.0.1']);
  const open = [...['outside', 'http', '4500', '::'], ...['elsewhere', 'http', '4600', '::']];
  const farApps = far.start(APP, [process.execPath, PEER_FILE, 'serve', ...apps, ...open]);
  const nearApp = near.start(APP, [process.execPath, PEER_FILE, 'serve', 'web', 'http', '8080', '0.0.0.0']);
  const common = async (service: string): Promise<string[]> => [
    ...[
      '--name',
      service,
      '--token',
      await token(service),
      '--control-plane',
      `${FAR}:15012`,
      '--join',
      `${FAR}:15013`,
    ],
  ];
  const sidecars = await Promise.all([
    ...CALLEES.map(async ({ name, app, inbound }) => {
      const places = [
        '--inbound',
        `0.0.0.0:${inbound}`,
        '--outbound-by-host',
        '127.0.0.1:0',
        '--status',
        '127.0.0.1:0',
      ];
      return far.start(SIDECAR, [...weft, 'sidecar', ...(await common(name)), ...places, '--app', `127.0.0.1:${app}`], {
        cwd: folder,
      });
    }),
    (async () =>
      near.start(SIDECAR, [...weft, 'sidecar', ...(await common('web')), '--transparent', 'on'], { cwd: folder }))(),
  ]);
  for (const one of [...sidecars])
    await eventually(() => one.output().includes('"ready"'), 20_000).catch(() => fail(one.output()));
  for (const one of [farApps, nearApp])
    await eventually(() => one.output().includes('serving')).catch(() => fail(one.output()));
  const lines = await inFolder(near, folder, [...weft, 'hosts', 'weft.yaml', '--service', 'web']);
  near.hosts(lines.stdout.trim().split('\n'));
  const app = (command: readonly string[], env?: Readonly<Record<string, string>>): Promise<Output> =>
    near.run(APP, command, env);
  const peer = async (env: Readonly<Record<string, string>>, args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await app([process.execPath, PEER_FILE, ...args], env);
    return `${stdout}${stderr}`.trim();
  };
  return {
    near,
    far,
    folder,
    admin: join(folder, '.weft/proxies/web/admin.sock'),
    weft: async (...args) => {
      const { code, stdout, stderr } = await near.run(ROOT, [...weft, ...args]);
      if (code !== 0) fail(`weft ${args.join(' ')}: ${stderr}${stdout}`);
      return stdout;
    },
    startWeft: (...args) => near.start(ROOT, [...weft, ...args]),
    configure: (change) => {
      const file = join(folder, 'weft.yaml');
      writeFileSync(file, change(readFileSync(file, 'utf8')));
    },
    curl: (...args) => app(['curl', '-sS', '--max-time', '10', '--connect-timeout', '2', ...args]),
    peer: (...args) => peer({}, args),
    peerWith: (env, ...args) => peer(env, args),
    runJob: async (...command) => {
      const places = ['--inbound', '127.0.0.1:0', '--outbound-by-host', '127.0.0.1:0', '--status', '127.0.0.1:0'];
      const ports = [
        '--outbound',
        'hello=127.0.0.1:0',
        '--outbound',
        'greeter=127.0.0.1:0',
        '--outbound',
        'line=127.0.0.1:0',
      ];
      const args = [...weft, 'run', ...(await common('job')), ...places, ...ports, '--', ...command];
      const { stdout, stderr, code } = await near.run(SIDECAR, ['sh', '-c', `cd "$0" && exec "$@"`, folder, ...args]);
      if (code !== 0) fail(`weft run: ${stderr}`);
      return stdout.trim();
    },
  };
}

/** Packet rules of near, as the programs themselves show them: without counters, and without chains that hold nothing. */
export async function rulesOf({ near }: TwoMachines): Promise<string> {
  const shown = ['iptables-save', 'ip6tables-save', 'nft list ruleset'];
  const outputs = await Promise.all(shown.map((command) => near.run(ROOT, ['sh', '-c', command])));
  const lines = outputs.flatMap(({ stdout }) => stdout.split('\n'));
  const rules = lines.filter((line) => /^-A |weft|^\t\t/i.test(line) && !line.startsWith('\t\ttype '));
  return rules.map((line) => line.replace(/ *counter packets.*? bytes \d+/, '').trim()).join('\n');
}

async function inFolder(machine: Machine, folder: string, command: readonly string[]): Promise<Output> {
  const output = await machine.run(SIDECAR, ['sh', '-c', `cd "$0" && exec "$@"`, folder, ...command]);
  if (output.code !== 0) fail(`${command.join(' ')}: ${output.stderr}`);
  return output;
}

function fail(message: string): never {
  throw new Error(message);
}
