// The shop as somebody has it who never heard of a mesh: its own compose file, plain URLs, one published port.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { buildCaptureImage, Capture, contains, isAt, isTlsData } from './capture.ts';
import { CarriedProject } from './carried-project.ts';
import { connectFrom } from './engine.ts';

const APP_PORTS = [3000, 8080, 8082];
const MARK = 'sku-that-nobody-may-see';

describe('weft compose on a shop without sidecars', { timeout: 1_200_000 }, () => {
  const shop = new CarriedProject({
    name: 'weft-test-carried-shop',
    fixture: 'compose-shop',
    file: 'docker-compose.yml',
    portVariable: 'SHOP_PORT',
  });
  let before_: ReadonlyMap<string, string> = new Map();
  before(
    async () => {
      await shop.prepare();
      await buildCaptureImage();
      before_ = await shop.hashes();
    },
    { timeout: 600_000 },
  );
  after(() => shop.remove());

  const order = (): Promise<string> =>
    shop.inside(
      'web',
      `fetch('http://orders:8080/orders', { method: 'POST', body: JSON.stringify({ items: [{ sku: '${MARK}', qty: 1 }] }) })
        .then(async (r) => console.log(r.status, await r.text()))`,
    );

  it('was in the clear before: the capture on the bridge shows the bodies', async () => {
    await shop.plain('up', '--detach', '--wait');
    const capture = await Capture.on(shop.network('default'));
    await eventually(async () => {
      assert.match(await order(), /^201 /);
      return true;
    }, 30_000);
    const segments = await capture.segments();
    await shop.down();
    assert.ok(contains(segments, MARK));
    assert.ok(segments.some((segment) => isAt(segment, 8082)));
  });

  it('--check says what it would do, finds nothing that it cannot, and writes nothing', async () => {
    const { code, lines } = await shop.weftCompose({ check: true });
    assert.equal(code, 0, lines.join('\n'));
    assert.deepEqual(await shop.hashes(), before_);
  });

  it('comes up with mutual TLS, its published port answers as before', async () => {
    const { code, lines } = await shop.weftCompose({ check: false });
    assert.equal(code, 0, lines.join('\n'));
    await shop.compose('up', '--detach', '--wait');
    const page = (): Promise<Response> => fetch(`${shop.url}/home/42`, { signal: AbortSignal.timeout(10_000) });
    await eventually(async () => {
      assert.equal((await page()).status, 200);
      return true;
    }, 30_000);
    const value = (await (await page()).json()) as { user: { name: string }; hops: string[] };
    assert.equal(value.user.name, 'Ada');
    assert.deepEqual(value.hops.slice(0, 3), ['edge-web', 'web', 'web']);
  });

  it('shows no body on the wire, only TLS to the sidecars, in the mesh and in the old network', async () => {
    const captures = await Promise.all([Capture.on(shop.network('weft-mesh')), Capture.on(shop.network('default'))]);
    const said = await order();
    assert.match(said, /^201 /, said);
    assert.ok(said.includes(MARK));
    for (const path of ['/home/42', '/products?q=wool']) await (await fetch(`${shop.url}${path}`)).text();
    const [mesh = [], old = []] = await Promise.all(captures.map((capture) => capture.segments()));
    for (const segments of [mesh, old]) {
      for (const text of [MARK, '"Ada"', 'HTTP/1.1', 'Red wool', '/charge']) assert.ok(!contains(segments, text), text);
      for (const port of APP_PORTS) assert.ok(!segments.some((segment) => isAt(segment, port)), `port ${port}`);
    }
    const carried = mesh.filter((segment) => isAt(segment, 15_006));
    assert.ok(carried.filter(isTlsData).length >= 8, `${carried.length} segments`);
  });

  it('lets nobody in the old network at an app past its sidecar', async () => {
    assert.equal(await connectFrom(shop.network('default'), 'payments', 8082, 4), 'no answer');
    assert.equal(await connectFrom(shop.network('default'), 'payments', 15_006, 4), 'connected');
  });

  it('refuses a call that was not guessed; a line in weft.yaml allows it without a restart', async () => {
    const charge = `fetch('http://payments:8082/charge', { method: 'POST', body: '{"amount":1}' })
      .then(async (r) => console.log(r.status), (e) => console.log(e.cause.code))`;
    assert.equal(await shop.inside('users', charge), 'ECONNREFUSED');
    const path = join(shop.folder, 'weft.yaml');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/( {2}users:\n(?: {4}.*\n)*? {4}calls: )\[\]/, '$1[payments]'));
    await eventually(async () => {
      assert.equal(await shop.inside('users', charge), '200');
      return true;
    }, 30_000);
    await writeFile(path, text);
  });

  it('leaves every file of the app as it was', async () => {
    const now = new Map(await shop.hashes());
    for (const name of ['weft.yaml', 'compose.weft.yml']) {
      assert.ok(now.delete(`test/fixtures/compose-shop/${name}`), name);
    }
    assert.deepEqual(now, before_);
  });
});
