import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigError } from '../../../../core/config/problem.ts';
import { checkMesh, findingLine, worstOf } from '../../../../core/explain/check.ts';
import type { MeshFacts, ProxyFact, ProxyWord } from '../../../../core/explain/check-facts.ts';
import { knownOf } from '../../../support/known-config.ts';

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const YAML = `version: 1
services:
  web: { port: 3000, calls: [orders] }
  orders: { port: 8080, versions: { v1: {}, v2: {} } }
  legacy: { endpoints: [127.0.0.1:9000] }
edges:
  main:
    listeners: [{ port: 8443, tls: internal }]
    routes: [{ match: /v2/**, to: orders@v2 }, { match: /old/**, to: legacy }, { match: /**, to: web }]
`;

const KNOWN = knownOf(YAML);
const { hash } = KNOWN.snapshot;

const WORD: ProxyWord = {
  viewOrigin: 'stream',
  viewAge: 0,
  appHealth: 'up',
  appHealthReason: '',
  draining: false,
  clockSkew: 12,
  unbound: [],
  unreachable: [],
};

function proxy(name: string, account: string, more: Partial<ProxyFact> = {}): ProxyFact {
  return {
    ...{ name, account, program: '0.3.0', snapshot: hash, refusal: null, inboundPort: 15_006, registered: true },
    current: (more.snapshot === undefined ? hash : more.snapshot) === hash,
    drained: false,
    notAfter: NOW + 48 * HOUR,
    word: WORD,
    ...more,
  };
}

const PROXIES = [
  proxy('web-1', 'web'),
  proxy('orders-1', 'orders'),
  proxy('orders-2', 'orders'),
  proxy('main-1', 'edge-main', { inboundPort: 0, word: { ...WORD, appHealth: 'not-probed' } }),
];

const PLANE = { version: '0.3.1', time: NOW + 3, refusedConfigs: 0, configTrouble: '', notAfter: NOW + 50 * HOUR };

/** A mesh in which nothing is amiss. */
function facts(more: Partial<MeshFacts> = {}, there: readonly string[] = ['web', 'orders', 'orders@v2']): MeshFacts {
  const endpoint = { id: 'one', host: '10.0.0.1', port: 15_006, weight: 1 };
  return {
    now: NOW,
    controlPlane: PLANE,
    known: { ...KNOWN, instances: (cluster) => (there.includes(cluster) ? [endpoint] : []) },
    warnings: [],
    proxies: PROXIES,
    authority: [
      { purpose: 'root', notAfter: NOW + 8_760 * HOUR },
      { purpose: 'issuing', notAfter: NOW + 4_000 * HOUR },
    ],
    disk: { folder: '.weft/control-plane', free: 20 * 1024 ** 3, size: 1, writable: true, exposed: [] },
    ...more,
  };
}

const amiss = (given: MeshFacts): readonly string[] =>
  checkMesh(given)
    .filter(({ level }) => level !== 'ok')
    .map(findingLine);

function withProxy(more: Partial<ProxyFact>): readonly string[] {
  return amiss(facts({ proxies: [...PROXIES.slice(1), proxy('web-1', 'web', more)] }));
}

function withWord(more: Partial<ProxyWord>): readonly string[] {
  return withProxy({ word: { ...WORD, ...more } });
}

test('a healthy mesh has one line of each check, all ok', () => {
  const findings = checkMesh(facts());
  assert.deepEqual(findings.map(findingLine), [
    `ok       configuration  ${hash} is in force: 3 services, 1 edge`,
    'ok       clocks         at most 12 ms apart',
    'ok       versions       0.3.1; proxies also of 0.3.0',
    'ok       authority      lasts for 166d',
    'ok       certificates   those of control plane and proxies last for 47h at least',
    'ok       instances      every called service has one (3 in all)',
    "ok       apps           3 apps answer their sidecars' probes",
    `ok       views          4 proxies run ${hash}`,
    'ok       reachability   no proxy misses an instance',
    'ok       plaintext      nothing crosses a network unencrypted',
    'ok       disk           .weft/control-plane can be written, 20 GiB left',
  ]);
  assert.equal(worstOf(findings), 'ok');
});

test('clocks that are apart are a warning from 5 s and an error from a minute, also that of the control plane', () => {
  assert.deepEqual(withWord({ clockSkew: 4_999 }), []);
  assert.deepEqual(withWord({ clockSkew: -5_000 }), [
    'warning  clocks         the clock of web-1 (web) is 5s behind that of the control plane → certificates are judged by it: let NTP set it',
  ]);
  assert.deepEqual(withWord({ clockSkew: 7_200_000 }), [
    'error    clocks         the clock of web-1 (web) is 2h ahead of that of the control plane → certificates are judged by it: let NTP set it',
  ]);
  assert.deepEqual(amiss(facts({ now: NOW + 10_000 })), [
    'warning  clocks         the clock of the control plane is 9s behind that of this machine → certificates are judged by it: let NTP set it',
  ]);
  assert.deepEqual(withWord({ clockSkew: null }), []);
});

test('programs may be one minor version apart, not two, and not of another major', () => {
  for (const program of ['0.2.9', '0.3.0', '0.4.0']) assert.deepEqual(withProxy({ program }), [], program);
  assert.deepEqual(withProxy({ program: '0.1.0' }), [
    'error    versions       web-1 (web) is of version 0.1.0, the control plane of 0.3.1: more than one minor version apart → update the proxy',
  ]);
  assert.deepEqual(withProxy({ program: '1.3.0' }), [
    'error    versions       web-1 (web) is of version 1.3.0, the control plane of 0.3.1: more than one minor version apart → update the control plane',
  ]);
  assert.deepEqual(withProxy({ program: 'dev' }), [
    'warning  versions       web-1 (web) is of version "dev", which is none → update it',
  ]);
});

test('certificates that should have been renewed are named, and worse when they are about to end', () => {
  const remedy = ' → its log says why it is not; a new join token lets it join again';
  assert.deepEqual(withProxy({ notAfter: NOW + 24 * HOUR + 10 }), []);
  assert.deepEqual(withProxy({ notAfter: NOW + 5 * HOUR + 10 }), [
    `warning  certificates   the certificate of web-1 (web) ends in 5h, and should have been renewed${remedy}`,
  ]);
  assert.deepEqual(withProxy({ notAfter: NOW - 2 * HOUR }), [
    `error    certificates   the certificate of web-1 (web) ended 2h ago, and should have been renewed${remedy}`,
  ]);
});

test("the control plane's own certificate counts too", () => {
  assert.deepEqual(amiss(facts({ controlPlane: { ...PLANE, notAfter: NOW + HOUR } })), [
    'error    certificates   the certificate of the control plane ends in 59m, and should have been renewed → its log says why it is not',
  ]);
});

test('an authority is a warning a month before its end, an error when it cannot sign for three days any more', () => {
  const ends = (hours: number): readonly string[] =>
    amiss(facts({ authority: [{ purpose: 'issuing', notAfter: NOW + hours * HOUR + 3 }] }));
  assert.deepEqual(ends(31 * 24), []);
  assert.deepEqual(ends(10 * 24), [
    'warning  authority      the issuing certificate of the mesh ends in 10d → see docs/identity.md',
  ]);
  assert.deepEqual(ends(2 * 24), [
    'error    authority      the issuing certificate of the mesh ends in 2d → see docs/identity.md',
  ]);
  assert.deepEqual(ends(-71), [
    'error    authority      the issuing certificate of the mesh ended 2d ago → see docs/identity.md',
  ]);
});

test('whoever is called must have an instance, in the version that is called; an edge must run', () => {
  assert.deepEqual(amiss(facts({}, ['web', 'orders'])), [
    'error    instances      orders@v2 has no instance, and is called by edge-main (weft.yaml:4:3) → start one: its callers get 503',
  ]);
  assert.deepEqual(amiss(facts({}, ['web', 'orders@v2'])), [
    'error    instances      orders has no instance, and is called by web (weft.yaml:4:3) → start one: its callers get 503',
  ]);
  assert.deepEqual(amiss(facts({ proxies: PROXIES.slice(0, 3) })), [
    'error    instances      no proxy of the edge main is connected (weft.yaml:8:17) → start `weft edge`',
  ]);
});

test('fewer instances than the configuration names are a warning', () => {
  const yaml = YAML.replace('v1: {}', 'v1: { instances: 3 }');
  const one = { id: 'one', host: '10.0.0.1', port: 15_006, weight: 1 };
  const known = { ...knownOf(yaml), instances: () => [one] };
  const proxies = PROXIES.map((each) => ({ ...each, snapshot: known.hash }));
  assert.deepEqual(amiss(facts({ known, proxies })), [
    'warning  instances      orders@v1 has 1 instance of the 3 that the configuration names (weft.yaml:4:3) → see `weft get proxies`',
  ]);
});

test('an app that is down is an error, one that drains and one that callers are not told of a warning', () => {
  assert.deepEqual(withWord({ appHealth: 'down', appHealthReason: 'GET /healthz: 500' }), [
    'error    apps           the app of web-1 (web) is down: GET /healthz: 500 → callers are not sent there until it answers',
  ]);
  assert.deepEqual(withWord({ draining: true }), [
    'warning  apps           web-1 (web) drains: it takes no new calls → it is being stopped',
  ]);
  assert.deepEqual(withProxy({ registered: false }), [
    'warning  apps           callers are not told of web-1 (web) → it has not taken its first view: its log says why',
  ]);
  assert.deepEqual(withProxy({ registered: false, drained: true }), [
    'warning  apps           web-1 (web) was taken out by an operator → `weft drain --undo web-1` lets it back',
  ]);
  assert.deepEqual(withProxy({ registered: false, inboundPort: 0 }), []);
});

test('a refused configuration is an error; an old one, and one from the disk, a warning', () => {
  assert.deepEqual(withProxy({ snapshot: 'aaaa', refusal: { code: 'view-invalid', message: 'no such port' } }), [
    'error    views          web-1 (web) refused the configuration and runs aaaa: no such port (view-invalid) → mend it, or `weft rollback`',
  ]);
  assert.deepEqual(withProxy({ snapshot: 'aaaa' }), [
    `warning  views          web-1 (web) runs aaaa, in force is ${hash} → if it stays so: its log says what it waits for`,
  ]);
  assert.deepEqual(withProxy({ snapshot: null, word: { ...WORD, viewOrigin: 'disk', viewAge: 7_300_000 } }), [
    'warning  views          web-1 (web) runs a view from its disk, 2h old → it has no view of this control plane yet: see its log',
  ]);
});

test('an instance that cannot be reached is one error with all who miss it; an address that is taken is one of its own', () => {
  const word = { ...WORD, unreachable: [{ cluster: 'orders', endpoint: 'orders-1', reason: 'connection refused' }] };
  const proxies = [proxy('web-1', 'web', { word }), proxy('web-2', 'web', { word }), ...PROXIES.slice(1)];
  assert.deepEqual(amiss(facts({ proxies })), [
    'error    reachability   orders-1 of orders cannot be reached by web-1 (web), web-2 (web): connection refused → look at the network and the firewall between the two',
  ]);
  assert.deepEqual(withWord({ unbound: ['127.15.1.2:8080'] }), [
    'error    reachability   web-1 (web) cannot listen on 127.15.1.2:8080 → another program has it',
  ]);
});

test('plaintext that leaves the machine is a warning, with the line', () => {
  const yaml = YAML.replace('tls: internal', 'address: 0.0.0.0').replace('127.0.0.1:9000', '"10.0.0.9:9000"');
  const known = { ...knownOf(yaml), instances: facts().known?.instances ?? null };
  const proxies = PROXIES.map((each) => ({ ...each, snapshot: known.hash }));
  assert.deepEqual(amiss(facts({ known, proxies })), [
    'warning  plaintext      the edge main takes plaintext from other machines on 0.0.0.0:8443 (weft.yaml:8:17) → add tls: internal, or address: 127.0.0.1',
    'warning  plaintext      legacy is called in plaintext, at 10.0.0.9:9000 (weft.yaml:5:3) → put it into the mesh with a sidecar',
  ]);
});

test('a disk that is full, closed or open to others is said', () => {
  const disk = { folder: '/state', free: 10 * 1024 ** 2, size: 1, writable: false, exposed: ['/state/root.key'] };
  assert.deepEqual(amiss(facts({ disk })), [
    'error    disk           others may read /state/root.key → chmod 600 /state/root.key; what was in it may be known',
    'error    disk           /state cannot be written → no change can be kept',
    'error    disk           10 MiB are left for /state → make room',
  ]);
});

test('warnings of the configuration are those of weft validate, with their lines; nothing in force is an error', () => {
  const place = { file: 'weft.yaml', line: 5, column: 3, path: 'services.legacy' };
  const warning: ConfigError = { ...place, message: 'nobody calls "legacy"', hint: 'remove it', severity: 'warning' };
  assert.deepEqual(amiss(facts({ warnings: [warning] })), [
    'warning  configuration  services.legacy: nobody calls "legacy" (weft.yaml:5:3) → remove it',
  ]);
  const configTrouble = 'weft.yaml:3:1: error: nonsense';
  assert.deepEqual(amiss(facts({ controlPlane: { ...PLANE, configTrouble } })), [
    'error    configuration  the watched files are not valid, and what was before goes on: weft.yaml:3:1: error: nonsense → mend them: see `weft validate`',
  ]);
  const proxies: readonly ProxyFact[] = [];
  assert.deepEqual(amiss(facts({ known: null, proxies })), [
    'error    configuration  nothing is in force → `weft validate` says what is wrong with the files',
  ]);
});

test('what a proxy says of itself moves no cursor', () => {
  const [line = ''] = withWord({ appHealth: 'down', appHealthReason: '\u001b[2J\nok' });
  assert.ok(!/\p{Cc}/u.test(line), JSON.stringify(line));
});

test('of very many findings of a kind the worst are said, and the rest counted', () => {
  const proxies = Array.from({ length: 200 }, (_, index) =>
    proxy(`web-${index}`, 'web', index === 199 ? { program: '9.0.0' } : { program: 'none' }),
  );
  const lines = amiss(facts({ proxies: [...proxies, ...PROXIES] })).filter((line) => line.includes(' versions '));
  assert.equal(lines.length, 51);
  assert.match(lines[0] ?? '', /^error {4}versions {7}web-199/);
  assert.equal(lines[50], 'warning  versions       and 150 more');
});
