import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decideRetry, isIdempotent, MAX_ATTEMPTS, type RetryInput } from '../../../../core/decide/retry.ts';

const good: RetryInput = {
  attempts: 1,
  method: 'GET',
  failure: 'connect',
  responseBegan: false,
  bodyReplayable: true,
  alternative: true,
};

const table: readonly (readonly [string, Partial<RetryInput>, boolean, string])[] = [
  ['a GET that did not connect', {}, true, 'not-processed'],
  ['a POST that did not connect', { method: 'POST' }, true, 'not-processed'],
  ['a GET that was lost', { failure: 'lost-before-response' }, true, 'idempotent'],
  ['a DELETE that was lost', { method: 'DELETE', failure: 'lost-before-response' }, true, 'idempotent'],
  ['a POST that was lost', { method: 'POST', failure: 'lost-before-response' }, false, 'not-idempotent'],
  ['a PATCH that was lost', { method: 'PATCH', failure: 'lost-before-response' }, false, 'not-idempotent'],
  ['an unknown method that was lost', { method: 'get', failure: 'lost-before-response' }, false, 'not-idempotent'],
  ['a GET that timed out', { failure: 'other' }, false, 'not-retryable'],
  ['a second try that failed', { attempts: 2 }, false, 'attempts-used'],
  ['a request whose answer began', { responseBegan: true }, false, 'response-began'],
  ['a request whose body is gone', { bodyReplayable: false }, false, 'body-gone'],
  ['a request with nowhere else to go', { alternative: false }, false, 'no-alternative'],
];

for (const [name, change, retry, reason] of table) {
  test(`${name} is ${retry ? '' : 'not '}tried again: ${reason}`, () => {
    assert.deepEqual(decideRetry({ ...good, ...change }), { retry, reason });
  });
}

test('of all inputs only those are tried again that are safe in every respect', () => {
  const flags = [true, false];
  for (const failure of ['connect', 'lost-before-response', 'other'] as const) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'CONNECT', '']) {
      for (const responseBegan of flags) {
        for (const bodyReplayable of flags) {
          for (const alternative of flags) {
            for (const attempts of [1, 2, 3]) {
              const { retry } = decideRetry({ attempts, method, failure, responseBegan, bodyReplayable, alternative });
              const safe = failure === 'connect' || (failure === 'lost-before-response' && isIdempotent(method));
              assert.equal(retry, safe && !responseBegan && bodyReplayable && alternative && attempts < MAX_ATTEMPTS);
            }
          }
        }
      }
    }
  }
});

test('idempotent are the methods of RFC 9110 §9.2.2 and no other', () => {
  const methods = ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'POST', 'PATCH', 'CONNECT', 'QUERY', 'Get'];
  assert.deepEqual(methods.filter(isIdempotent), ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
});
