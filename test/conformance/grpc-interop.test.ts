// The interop cases of gRPC with the Go client and server: through an edge and through a sidecar pair of a `weft up`,
// in plaintext and with TLS. Cases that need Google's credentials are not among them, nor those that this server fails
// without a proxy too (pick_first_unary, orca_per_rpc, orca_oob).
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { configFolder, RunningMesh } from '../e2e/running-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { goTool } from './go-tool.ts';

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ...[
    'empty_unary',
    'large_unary',
    'client_streaming',
    'server_streaming',
    'ping_pong',
    'empty_stream',
    'timeout_on_sleeping_server',
    'cancel_after_begin',
    'cancel_after_first_response',
    'status_code_and_message',
    'special_status_message',
    'custom_metadata',
    'unimplemented_method',
    'unimplemented_service',
  ].map((name): [string, readonly string[]] => [name, []]),
  // Long enough for peers' measuring of the path, and what they send for it, to add up.
  ['rpc_soak', soak(500, 4)],
  ['rpc_soak', [...soak(10_000, 8), '--soak_request_size=10', '--soak_response_size=10']],
  ['channel_soak', soak(100, 2)],
];

function soak(iterations: number, threads: number): readonly string[] {
  return [
    `--soak_iterations=${iterations}`,
    `--soak_num_threads=${threads}`,
    '--soak_overall_timeout_seconds=60',
    '--soak_per_iteration_max_acceptable_latency_ms=5000',
  ];
}

// The app prints where its sidecar serves the callee, and where `weft up` put itself.
const yaml = (server: string): string => `version: 1
mesh: { trustDomain: interop.test }
services:
  interop:
    port: 10000
    protocol: grpc
    run: exec ${server} --port=$PORT
  caller:
    port: 10001
    calls: [interop]
    run: >-
      echo "interop is at $INTEROP_ADDRESS and I am at $PORT";
      exec node -e "require('node:net').createServer().listen(process.env.PORT, '127.0.0.1')"
edges:
  main:
    listeners: [{ port: 0, tls: internal }, { port: 0, address: 127.0.0.1 }]
    routes: [{ match: /**, to: interop }, { match: /caller, to: caller }]
`;

interface Door {
  readonly port: string;
  readonly more: readonly string[];
}

let client = '';
let mesh: RunningMesh;
let server = '';
const doors = new Map<string, Door>();

before(async () => {
  client = await goTool('grpc-interop-client', 'google.golang.org/grpc/interop/client');
  server = await goTool('grpc-interop-server', 'google.golang.org/grpc/interop/server');
  mesh = await new RunningMesh(await configFolder(yaml(server))).ready(60_000);
  const found = (pattern: RegExp): string => pattern.exec(mesh.output)?.[1] ?? '';
  await eventually(() => found(/interop is at 127\.0\.0\.1:(\d+)/) !== '');
  const { ca } = await mesh.upJson();
  doors.set('an edge with TLS', {
    port: new URL(mesh.edge).port,
    more: ['--use_tls', '--use_test_ca', `--ca_file=${ca}`, '--server_host_override=localhost'],
  });
  doors.set('an edge in plaintext', { port: found(/http:\/\/127\.0\.0\.1:(\d+)/), more: [] });
  doors.set('two sidecars', { port: found(/interop is at 127\.0\.0\.1:(\d+)/), more: [] });
});

after(() => mesh.stop());

/** Rejects with everything that the client said. */
function run(door: Door, name: string, options: readonly string[]): Promise<void> {
  const given = [`--server_port=${door.port}`, `--test_case=${name}`, ...door.more, ...options];
  return new Promise((done, fail) => {
    // A name would be looked up.
    execFile(client, ['--server_host=127.0.0.1', ...given], { timeout: 60_000 }, (error, stdout, stderr) => {
      if (error === null) done();
      else fail(new Error(`${name}: ${stdout.replaceAll(/^.*succeeded\n/gm, '')}${stderr}`));
    });
  });
}

for (const name of ['an edge with TLS', 'an edge in plaintext', 'two sidecars']) {
  describe(`gRPC interop through ${name}`, () => {
    for (const [each, options] of CASES) {
      test([each, ...options.slice(0, 1)].join(' '), async () => {
        const door = doors.get(name);
        assert.ok(door !== undefined && door.port !== '', mesh.output);
        await run(door, each, options);
      });
    }
  });
}
