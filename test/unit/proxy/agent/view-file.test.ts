import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { spiffeId } from '../../../../core/model/brand.ts';
import type { View } from '../../../../core/model/view.ts';
import { readState, writeState } from '../../../../host/files.ts';
import { encodeView } from '../../../../proto/codec/encode.ts';
import { loadServices } from '../../../../proto/codec/services.ts';
import { NO_HOLDINGS, stage, versionsByType, type Holdings } from '../../../../proxy/agent/holdings.ts';
import { dropViewFile, ViewFile, type ViewFileOptions } from '../../../../proxy/agent/view-file.ts';
import { arbitraryView } from '../../../support/arbitrary-view.ts';
import { recordingLog } from '../../../support/recording-log.ts';
import { sampleEndpoint, sampleView } from '../../../support/sample-view.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const codec = loadServices().discovery.Stream;
const ORDERS = { spiffeId: spiffeId('shop.test', 'default', 'orders'), instance: 'orders-1' };

/** As a proxy holds it that was sent this view. */
function held(view: View): Holdings {
  const resources = encodeView(view).map(({ wire }) => wire);
  const sent = codec.responseSerialize({ nonce: 'n1', snapshot: view.snapshot, resources });
  const staged = stage(NO_HOLDINGS, codec.responseDeserialize(sent));
  assert.ok(staged.ok);
  return staged.value.next;
}

function fileIn(stateDir: string, more: Partial<ViewFileOptions> = {}) {
  const log = recordingLog();
  return { log, file: new ViewFile({ stateDir, owner: ORDERS, program: '0.1.0', codec, log, ...more }) };
}

const SAMPLE = sampleView('s1', { payments: [sampleEndpoint('payments-1')] });

test('what is read back is what was kept, with the versions that the control plane gave', async (t) => {
  const folder = await temporaryFolder(t);
  await fc.assert(
    fc.asyncProperty(
      arbitraryView.filter(({ snapshot }) => snapshot !== ''),
      async (view) => {
        const before = held(view);
        await fileIn(folder).file.save(before, 1_000);
        const { file, log } = fileIn(folder);
        const kept = await file.load();
        assert.deepEqual(log.lines, []);
        assert.deepEqual(kept?.view, view);
        assert.equal(kept?.confirmedAt, 1_000);
        assert.deepEqual(versionsByType(kept?.holdings ?? NO_HOLDINGS), versionsByType(before));
      },
    ),
    { numRuns: 40 },
  );
});

test('a resource that was removed is not kept', async (t) => {
  const folder = await temporaryFolder(t);
  const names = (['RESOURCE_TYPE_CLUSTER', 'RESOURCE_TYPE_ENDPOINTS'] as const).map((type) => ({
    type,
    name: 'payments',
  }));
  const removal = codec.responseSerialize({ nonce: 'n2', snapshot: 's2', removed: names });
  const staged = stage(held(SAMPLE), codec.responseDeserialize(removal));
  assert.ok(staged.ok);
  await fileIn(folder).file.save(staged.value.next, 1);
  assert.deepEqual((await fileIn(folder).file.load())?.view, sampleView('s2', {}));
});

test('the file is the owner’s alone, and nothing is left beside it', async (t) => {
  const folder = await temporaryFolder(t);
  await fileIn(folder).file.save(held(SAMPLE), 1);
  assert.equal((await stat(join(folder, 'view.json'))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(folder), ['view.json']);
});

test('where there is no file there is no view, and nothing to say', async (t) => {
  const { file, log } = fileIn(await temporaryFolder(t));
  assert.equal(await file.load(), null);
  assert.deepEqual(log.lines, []);
});

test('a file that is torn at any place, or changed at any place, is ignored with one line', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'view.json');
  await fileIn(folder).file.save(held(SAMPLE), 1);
  const whole = await readFile(path);
  const ignored = async (content: Buffer | string): Promise<void> => {
    await writeFile(path, content);
    const { file, log } = fileIn(folder);
    assert.equal(await file.load(), null, String(content));
    assert.equal(log.lines.length, 1);
    assert.match(log.lines[0]?.message ?? '', /^the kept view is ignored: /);
  };
  // The last byte is the line's end, which means nothing.
  for (let length = 0; length < whole.length - 1; length += 7) await ignored(whole.subarray(0, length));
  const body = whole.indexOf('"body"');
  for (let at = body + 9; at < whole.length - 3; at += 11) {
    const changed = Buffer.from(whole);
    changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
    await ignored(changed);
  }
  for (const other of ['', 'null', '[]', '{"sha256":1,"body":2}', 'no JSON']) await ignored(other);
});

test('a file of a format that is not known here is ignored, one from before formats were said is not', async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, 'view.json');
  await fileIn(folder).file.save(held(SAMPLE), 1);
  const state = (await readState(path)) as Record<string, unknown>;
  assert.equal(state['format'], 1);
  for (const format of [2, '1']) {
    await writeState(path, { ...state, format });
    const { file, log } = fileIn(folder);
    assert.equal(await file.load(), null);
    assert.match(log.lines[0]?.message ?? '', /it is of format .*, and this program knows 1/);
  }
  const { format: _, ...before } = state;
  await writeState(path, before);
  assert.deepEqual((await fileIn(folder).file.load())?.view, SAMPLE);
});

test('a view of another identity or another instance is not served', async (t) => {
  const folder = await temporaryFolder(t);
  await fileIn(folder).file.save(held(SAMPLE), 1);
  const payments = { ...ORDERS, spiffeId: spiffeId('shop.test', 'default', 'payments') };
  for (const owner of [payments, { ...ORDERS, instance: 'orders-2' }]) {
    const { file, log } = fileIn(folder, { owner });
    assert.equal(await file.load(), null);
    assert.match(log.lines[0]?.message ?? '', /ignored: it is of spiffe:.*\/sa\/orders, instance orders-1$/);
  }
});

test('a view that another program version kept is served, but the control plane is asked for all of it', async (t) => {
  const folder = await temporaryFolder(t);
  await fileIn(folder).file.save(held(SAMPLE), 1);
  const kept = await fileIn(folder, { program: '0.2.0' }).file.load();
  assert.deepEqual(kept?.view, SAMPLE);
  assert.equal(kept?.holdings, NO_HOLDINGS);
});

test('a view that would be refused from the stream is refused from disk', async (t) => {
  const folder = await temporaryFolder(t);
  const broken = held(SAMPLE);
  const wire = new Map(broken.wire);
  wire.delete('cluster/payments');
  await fileIn(folder).file.save({ ...broken, wire }, 1);
  const { file, log } = fileIn(folder);
  assert.equal(await file.load(), null);
  assert.match(log.lines[0]?.message ?? '', /ignored: endpoints\/payments/);
});

test('of many views that come at once the last one is kept', async (t) => {
  const folder = await temporaryFolder(t);
  const { file } = fileIn(folder);
  const views = Array.from({ length: 20 }, (_, index) => sampleView(`s${index}`, {}));
  await Promise.all(views.map((view, index) => file.save(held(view), index)));
  assert.equal((await file.load())?.view.snapshot, 's19');
});

test('a folder that cannot be written to is said once', async (t) => {
  const folder = await temporaryFolder(t);
  const gone = join(folder, 'gone');
  const { file, log } = fileIn(gone);
  await file.save(held(SAMPLE), 1);
  await file.save(held(SAMPLE), 2);
  assert.equal(log.lines.length, 1);
  assert.match(log.lines[0]?.message ?? '', /^the view is not kept: /);
});

test('whoever joins anew has no view', async (t) => {
  const folder = await temporaryFolder(t);
  await dropViewFile(folder);
  await fileIn(folder).file.save(held(SAMPLE), 1);
  await dropViewFile(folder);
  assert.equal(await fileIn(folder).file.load(), null);
});
