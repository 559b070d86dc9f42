import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Membership, MEMBERSHIP, type MembershipChange } from '../../../../core/decide/membership.ts';

const POLICY = { ...MEMBERSHIP, grace: 2_000 };

/** A clock, and who is there as the changes tell it. */
function start(ids: readonly string[] = []) {
  const membership = new Membership(POLICY);
  const there = new Set<string>();
  let now = 0;
  const take = (changes: readonly MembershipChange[]) => {
    for (const { id, kind } of changes) {
      if (kind === 'restored') there.add(id);
      else there.delete(id);
    }
  };
  const mesh = {
    membership,
    there,
    join: (id: string) => {
      membership.join(id, now);
      there.add(id);
    },
    lose: (id: string) => take(membership.lose(id, now)),
    leave: (id: string) => {
      membership.leave(id);
      there.delete(id);
    },
    /** Runs what is due meanwhile at its time, as a timer would. */
    wait: (ms: number) => {
      const end = now + ms;
      for (let next = membership.next(); next !== null && next <= end; next = membership.next()) {
        now = Math.max(now, next);
        take(membership.advance(now));
      }
      now = end;
    },
    now: () => now,
  };
  for (const id of ids) mesh.join(id);
  return mesh;
}

const TEN = Array.from({ length: 10 }, (_, index) => `i${index}`);

test('who is lost stays for the grace time, and is no event if it comes back in it', () => {
  const mesh = start(TEN);
  mesh.lose('i0');
  mesh.wait(1_999);
  assert.ok(mesh.there.has('i0'));
  mesh.join('i0');
  mesh.wait(100_000);
  assert.ok(mesh.there.has('i0'));
  mesh.lose('i0');
  mesh.wait(2_000);
  assert.deepEqual([mesh.there.size, mesh.there.has('i0')], [9, false]);
});

test('who says goodbye is gone at once and leaves nothing to wait for', () => {
  const mesh = start(['a']);
  mesh.leave('a');
  assert.equal(mesh.membership.next(), null);
  mesh.lose('a');
  assert.equal(mesh.membership.next(), null);
});

test('the sixth loss within a minute doubles the grace time, and so does each further one, up to a minute', () => {
  const graceAfter = (losses: number) => {
    const mesh = start(TEN);
    for (let loss = 1; loss < losses; loss++) {
      mesh.lose('i0');
      mesh.wait(100);
      mesh.join('i0');
    }
    mesh.lose('i0');
    return (mesh.membership.next() ?? 0) - mesh.now();
  };
  assert.deepEqual(
    [1, 5, 6, 7, 8, 10, 11, 60].map(graceAfter),
    [2_000, 2_000, 4_000, 8_000, 16_000, 60_000, 60_000, 60_000],
  );
});

test('losses that are a minute old are forgiven', () => {
  const mesh = start(TEN);
  for (let loss = 0; loss < 8; loss++) {
    mesh.lose('i0');
    mesh.join('i0');
  }
  mesh.wait(60_000);
  mesh.lose('i0');
  assert.equal((mesh.membership.next() ?? 0) - mesh.now(), 2_000);
});

test('when most are lost at once nobody is removed until five minutes have passed', () => {
  const mesh = start(TEN);
  for (const id of TEN.slice(0, 6)) mesh.lose(id);
  assert.equal(mesh.membership.held, 6);
  mesh.wait(299_999);
  assert.equal(mesh.there.size, 10);
  mesh.wait(1);
  assert.equal(mesh.there.size, 4);
  assert.equal(mesh.membership.held, 0);
});

test('half of all is no mass loss, and neither are two of two', () => {
  const half = start(TEN);
  for (const id of TEN.slice(0, 5)) half.lose(id);
  half.wait(2_000);
  assert.equal(half.there.size, 5);
  const two = start(['a', 'b']);
  two.lose('a');
  two.lose('b');
  two.wait(2_000);
  assert.equal(two.there.size, 0);
  const three = start(['a', 'b', 'c']);
  for (const id of ['a', 'b', 'c']) three.lose(id);
  three.wait(2_000);
  assert.equal(three.there.size, 3);
});

test('a network that is cut is noticed stream by stream: who was removed first is restored', () => {
  const mesh = start(TEN);
  for (const id of TEN.slice(0, 6)) {
    mesh.lose(id);
    mesh.wait(2_500);
  }
  assert.equal(mesh.there.size, 10);
  assert.equal(mesh.membership.held, 6);
});

test('losses that are further apart are single ones', () => {
  const mesh = start(TEN);
  for (const id of TEN) {
    mesh.lose(id);
    mesh.wait(20_000);
  }
  assert.equal(mesh.there.size, 0);
});

test('once half are back the others have half a minute more', () => {
  const mesh = start(TEN);
  for (const id of TEN) mesh.lose(id);
  mesh.wait(60_000);
  for (const id of TEN.slice(0, 4)) mesh.join(id);
  assert.equal(mesh.membership.held, 6);
  mesh.join('i4');
  assert.equal(mesh.membership.held, 0);
  mesh.wait(29_999);
  assert.equal(mesh.there.size, 10);
  mesh.wait(1);
  assert.equal(mesh.there.size, 5);
});

test('who was removed at the end of a hold is not held once more', () => {
  const mesh = start(TEN);
  for (const id of TEN.slice(0, 6)) mesh.lose(id);
  mesh.wait(300_000);
  mesh.lose('i6');
  mesh.wait(2_000);
  assert.deepEqual([...mesh.there], ['i7', 'i8', 'i9']);
});

test('those of an earlier time are waited for like a mass loss, few of them for the time that is given', () => {
  const few = start();
  few.membership.expect('a', 0, 8_000);
  few.there.add('a');
  assert.equal(few.membership.next(), 8_000);
  few.wait(8_000);
  assert.equal(few.there.size, 0);
  const many = start();
  for (const id of TEN) {
    many.membership.expect(id, 0, 8_000);
    many.there.add(id);
  }
  many.wait(30_000);
  assert.equal(many.there.size, 10);
  for (const id of TEN.slice(0, 9)) many.join(id);
  many.wait(30_000);
  assert.deepEqual(many.there.size, 9);
});

const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('join' as const), id: fc.integer({ min: 0, max: 7 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('lose' as const), id: fc.integer({ min: 0, max: 7 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), id: fc.integer({ min: 0, max: 7 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), id: fc.integer({ min: 1, max: 12_000 }) }) },
);

test('whatever happens: who is connected is there, who is lost goes in the end, nobody goes before the grace time', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const mesh = start();
      const connected = new Set<string>();
      const lostAt = new Map<string, number>();
      for (const { kind, id } of events) {
        const name = `i${id}`;
        if (kind === 'join') {
          mesh.join(name);
          connected.add(name);
          lostAt.delete(name);
        } else if (kind === 'lose' && connected.delete(name)) {
          mesh.lose(name);
          lostAt.set(name, mesh.now());
        } else if (kind === 'leave') {
          mesh.leave(name);
          connected.delete(name);
          lostAt.delete(name);
        } else if (kind === 'wait') mesh.wait(id);
        for (const one of connected) assert.ok(mesh.there.has(one), `${one} is connected`);
        for (const [one, at] of lostAt) {
          if (mesh.now() - at < POLICY.grace) assert.ok(mesh.there.has(one), `${one} is within its grace time`);
        }
        for (const one of mesh.there) assert.ok(connected.has(one) || lostAt.has(one), `${one} has left`);
      }
      mesh.wait(POLICY.massHold + POLICY.massReturn + POLICY.mostGrace + POLICY.massWindow);
      assert.deepEqual([...mesh.there].sort(), [...connected].sort());
      assert.equal(mesh.membership.next(), null, 'nothing is waited for any more');
    }),
    { numRuns: 500 },
  );
});
