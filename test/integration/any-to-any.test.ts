// Any caller against any app, over every way: small, 10 MiB, trailers, resets from either side, half-closed.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { before, describe, test, type TestContext } from 'node:test';
import { openWay, PATHS, type PathName } from '../support/any-paths.ts';
import {
  type AnyApp,
  type AnyCaller,
  http1App,
  http1Caller,
  http2App,
  http2Caller,
  TRAILER,
} from '../support/any-peers.ts';
import { eventually } from '../support/eventually.ts';
import { makeTestAuthority, type TestAuthority } from '../support/test-authority.ts';

const CALLERS = { 'HTTP/1.1': http1Caller, 'HTTP/2': http2Caller } as const;
const APPS = { 'HTTP/1.1': http1App, 'HTTP/2': http2App } as const;
const LARGE = randomBytes(10 * 1024 * 1024);

let authority: TestAuthority;

before(async () => {
  authority = await makeTestAuthority();
});

function digest(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

for (const path of PATHS) {
  for (const [callerName, makeCaller] of Object.entries(CALLERS)) {
    for (const [appName, makeApp] of Object.entries(APPS)) {
      describe(`${callerName} to ${appName} over ${path}`, () => {
        const meet = (t: TestContext) => meetOver(t, path, makeCaller, makeApp);

        test('small bodies come back, and one connection serves many', async (t) => {
          const { caller } = await meet(t);
          for (const text of ['one', 'two', 'three']) {
            const answer = await caller.ask({ path: '/echo', body: Buffer.from(text) });
            assert.equal(answer.status, 200);
            assert.equal(answer.body.toString(), text);
          }
          assert.equal((await caller.ask({ path: '/echo' })).body.length, 0);
        });

        test('10 MiB come back as they went, while they still go', async (t) => {
          const { caller } = await meet(t);
          const answer = await caller.ask({ path: '/echo', body: LARGE });
          assert.equal(digest(answer.body), digest(LARGE));
        });

        test('trailers of either side arrive on the other', async (t) => {
          const { caller, app } = await meet(t);
          const answer = await caller.ask({
            path: '/whole',
            body: Buffer.from('checked'),
            trailers: { [TRAILER]: 'of-the-request' },
          });
          assert.equal(answer.body.toString(), 'checked');
          assert.equal(answer.trailers[TRAILER], 'of-the-answer');
          assert.equal(app.trailers()[TRAILER], 'of-the-request');
        });

        test('an app that dies within its answer is seen as that, and the next request is served', async (t) => {
          const { caller } = await meet(t);
          await assert.rejects(caller.ask({ path: '/cut' }));
          assert.equal((await caller.ask({ path: '/echo', body: Buffer.from('on') })).body.toString(), 'on');
        });

        test('a caller that goes away within its request is gone for the app as well', async (t) => {
          const { caller, app } = await meet(t);
          let go = (): void => {};
          const left = caller.leave('/wait', new Promise((done) => (go = done)));
          await eventually(() => app.came() === 1);
          go();
          await left;
          await eventually(() => app.abandoned() === 1);
        });

        test('an answer that waits for the end of the request comes after it', async (t) => {
          const { caller } = await meet(t);
          const answer = await caller.ask({ path: '/whole', body: LARGE });
          assert.equal(digest(answer.body), digest(LARGE));
        });
      });
    }
  }
}

async function meetOver(
  t: TestContext,
  path: PathName,
  makeCaller: (typeof CALLERS)[keyof typeof CALLERS],
  makeApp: (typeof APPS)[keyof typeof APPS],
): Promise<{ readonly caller: AnyCaller; readonly app: AnyApp }> {
  const app = await makeApp(t);
  const way = await openWay(t, authority, path, app);
  return { caller: await makeCaller(t, way), app };
}
