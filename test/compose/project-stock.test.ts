// Another project: a database over TCP, a service with two ports, a worker without one, an alias, two networks.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { buildCaptureImage, Capture, contains, isAt, isTlsData } from './capture.ts';
import { CarriedProject } from './carried-project.ts';
import { connectFrom } from './engine.ts';

const MARK = 'wool-that-nobody-may-see';

describe('weft compose on a stock list', { timeout: 1_200_000 }, () => {
  const stock = new CarriedProject({
    name: 'weft-test-carried-stock',
    fixture: 'compose-project',
    file: 'compose.yaml',
    portVariable: 'FRONT_PORT',
  });
  let before_: ReadonlyMap<string, string> = new Map();
  before(
    async () => {
      await stock.prepare();
      await buildCaptureImage();
      before_ = await stock.hashes();
    },
    { timeout: 600_000 },
  );
  after(() => stock.remove());

  const ask = async (path: string, body?: object): Promise<string> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    return (await fetch(`${stock.url}${path}`, { ...init, signal: AbortSignal.timeout(10_000) })).text();
  };

  it('--check finds that all of it is carried, the database and the second port as bytes', async () => {
    const { code, lines } = await stock.weftCompose({ check: true });
    assert.equal(code, 0, lines.join('\n'));
    const text = lines.join('\n');
    assert.match(text, /kv, port 7000: as bytes: called by kv:\/\/ in KV_URL of api/);
    assert.match(text, /api: port 9091 is carried as bytes, under the name p9091/);
    assert.ok(!lines.includes('not carried over:'));
    assert.deepEqual(await stock.hashes(), before_);
  });

  it('comes up: the alias, the database, the worker, the replicas and the second port work as before', async () => {
    const { code, lines } = await stock.weftCompose({ check: false });
    assert.equal(code, 0, lines.join('\n'));
    await stock.compose('up', '--detach', '--wait');
    await eventually(async () => {
      assert.equal(await ask('/stock', { name: 'yarn', kind: MARK }), 'OK');
      return true;
    }, 30_000);
    assert.ok((await ask('/stock/yarn')).includes(MARK));
    await eventually(async () => {
      assert.match(await ask('/stock/counter'), /"count":\d/);
      return true;
    }, 30_000);
    assert.match(await ask('/requests'), /^requests \d+/);
    const served = await Promise.all(Array.from({ length: 24 }, () => ask('/who')));
    assert.equal(new Set(served).size, 2, 'both replicas serve');
  });

  it('shows no body on the wire, also not on the way to the database', async () => {
    const captures = await Promise.all(['weft-mesh', 'back', 'public'].map((name) => Capture.on(stock.network(name))));
    assert.equal(await ask('/stock', { name: 'yarn', kind: MARK }), 'OK');
    assert.ok((await ask('/stock/yarn')).includes(MARK));
    assert.match(await ask('/requests'), /^requests \d+/);
    const [mesh = [], back = [], open = []] = await Promise.all(captures.map((capture) => capture.segments()));
    assert.ok(mesh.filter((segment) => isAt(segment, 15_006) && isTlsData(segment)).length >= 4);
    for (const segments of [mesh, back, open]) {
      assert.ok(!contains(segments, MARK) && !contains(segments, 'HTTP/1.1'));
      for (const port of [7000, 8080, 9091]) assert.ok(!segments.some((segment) => isAt(segment, port)), String(port));
    }
  });

  it('guards every port of the apps', async () => {
    for (const [host, port] of [
      ['inventory', 8080],
      ['inventory', 9091],
      ['kv', 7000],
    ] as const) {
      assert.equal(await connectFrom(stock.network('back'), host, port, 4), 'no answer', host);
    }
  });

  it('joins no networks: where all sidecars meet nothing but they can be reached', async () => {
    assert.equal(await connectFrom(stock.network('weft-mesh'), 'weft-mesh-api', 9091, 4), 'no answer');
    assert.equal(await connectFrom(stock.network('weft-mesh'), 'weft-mesh-api', 15_006, 4), 'connected');
  });

  it('leaves every file of the app as it was', async () => {
    const now = new Map(await stock.hashes());
    for (const name of ['weft.yaml', 'compose.weft.yml']) {
      assert.ok(now.delete(`test/fixtures/compose-project/${name}`), name);
    }
    assert.deepEqual(now, before_);
  });
});
