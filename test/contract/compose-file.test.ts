// docker-compose.yml says in its own words what examples/shop/weft.yaml says: names, ports, instances. Here the two are
// held together, and the rights of every container are checked without an engine.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { runHosts } from '../../control-plane/cli/hosts.ts';
import { parseConfig } from '../../core/config/parse.ts';

interface Container {
  readonly image: string;
  readonly user?: string;
  readonly command: readonly string[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly network_mode?: string;
  readonly extra_hosts?: readonly string[];
  readonly volumes: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const text = (path: string): string => readFileSync(join(root, path), 'utf8');
const containers = (
  parse(text('docker-compose.yml'), { merge: true }) as { services: Readonly<Record<string, Container>> }
).services;
const parsed = parseConfig([{ name: 'weft.yaml', text: text('examples/shop/weft.yaml') }]);
assert.ok(parsed.ok);
const { mesh } = parsed.value;

/** `orders-v2-1` → { service: 'orders', version: 'v2' }, as many as the configuration has. */
const instances = new Map(
  [...mesh.services.values()].flatMap((service) =>
    service.kind !== 'workload'
      ? []
      : service.versions.flatMap(({ name, instances: count }) =>
          Array.from({ length: count }, (_, index) => {
            const instance = [service.name, ...(name === null ? [] : [name]), index + 1].join('-');
            return [instance, { service, version: name }] as const;
          }),
        ),
  ),
);

function container(name: string): Container {
  const found = containers[name];
  assert.ok(found, `docker-compose.yml has no ${name}`);
  return found;
}

test('every instance has pod, sidecar and app, and there is nothing else', () => {
  const expected = [...instances.keys()].flatMap((name) => [`${name}-pod`, `${name}-sidecar`, name]);
  assert.deepEqual(Object.keys(containers).toSorted(), [...expected, 'init', 'control-plane', 'edge-main'].toSorted());
});

test('init gives each instance what the configuration says that it is', () => {
  const { command } = container('init');
  const expected = [...instances].map(
    ([name, { service, version }]) => `${name}=${service.name}${version === null ? '' : `@${version}`}`,
  );
  assert.deepEqual(
    command.filter((word) => /^[a-z]/.test(word) && word !== 'compose-init').toSorted(),
    [...expected, 'edge-main=edge:main'].toSorted(),
  );
});

/** What `weft hosts --service NAME` prints. */
async function hostsOf(service: string): Promise<readonly { name: string; address: string; port: number }[]> {
  const lines: string[] = [];
  const file = join(root, 'examples/shop/weft.yaml');
  await runHosts({ file, service, json: true }, (line) => lines.push(line), assert.fail);
  return (JSON.parse(lines.join('\n')) as { hosts: { name: string; address: string; port: number }[] }).hosts;
}

test('pods guard the port of their service, and map what it calls to the addresses of weft hosts', async () => {
  for (const [name, { service }] of instances) {
    const { command, extra_hosts = [] } = container(`${name}-pod`);
    assert.deepEqual(command, ['pod', '--app-port', String(service.port)], name);
    const called = await hostsOf(service.name);
    assert.deepEqual(
      extra_hosts,
      called.map((entry) => `${entry.name}:${entry.address}`),
      name,
    );
    // A callee on the caller's own port would need a redirect too.
    assert.ok(
      called.every(({ port }) => port !== service.port),
      name,
    );
  }
});

test('an app sees its files and no state; a sidecar its own state and no other', () => {
  for (const name of instances.keys()) {
    const app = container(name);
    assert.deepEqual(app.volumes, ['./examples/shop:/app:ro', 'pods:/run/weft:ro'], name);
    assert.doesNotMatch(Object.keys(app.environment ?? {}).join(), /WEFT/, name);
    assert.deepEqual(app.depends_on, { [`${name}-sidecar`]: { condition: 'service_healthy' } }, name);
    const sidecar = container(`${name}-sidecar`);
    assert.deepEqual(sidecar.volumes, [`${name}:/var/lib/weft`, 'pods:/run/weft:ro'], name);
    for (const each of [app, sidecar]) assert.equal(each.network_mode, `service:${name}-pod`, name);
  }
});

test('everything of Weft is read-only and without rights, but for those that are given up at once', () => {
  for (const [name, { image, read_only, cap_drop, cap_add = [], user }] of Object.entries(containers)) {
    if (!image.startsWith('weft:')) continue;
    assert.equal(read_only, true, name);
    assert.deepEqual(cap_drop, ['ALL'], name);
    const expected = name.endsWith('-pod') ? ['NET_ADMIN'] : name === 'init' ? ['CHOWN'] : null;
    assert.deepEqual(cap_add, expected === null ? [] : [...expected, 'SETUID', 'SETGID'], name);
    if (expected === null) assert.equal(user, undefined, name);
  }
});

test('the image names the version that the package has', () => {
  const { version } = JSON.parse(text('package.json')) as { version: string };
  const labels = [...text('Dockerfile').matchAll(/image\.version="([^"]*)"/g)].map((match) => match[1]);
  assert.deepEqual(labels, [version, version]);
});
