import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog } from '../../../host/log.ts';

function lines(): { sink: { write(line: string): void }; read(): Record<string, unknown>[] } {
  const written: string[] = [];
  return {
    sink: { write: (line) => void written.push(line) },
    read: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

describe('the log', () => {
  it('writes one JSON object per line with level, time and name', () => {
    const { sink, read } = lines();
    createLog({ name: 'orders', to: sink }).warn({ rule: 'services.payments.allow' }, 'denied');
    const [line] = read();
    assert.equal(line?.['level'], 'warn');
    assert.equal(line?.['name'], 'orders');
    assert.equal(line?.['message'], 'denied');
    assert.equal(line?.['rule'], 'services.payments.allow');
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/);
  });

  it('leaves out what is below its level', () => {
    const { sink, read } = lines();
    const log = createLog({ name: 'x', level: 'error', to: sink });
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    log.error({}, 'd');
    assert.deepEqual(
      read().map((line) => line['message']),
      ['d'],
    );
  });

  it('never writes a secret', () => {
    const { sink, read } = lines();
    createLog({ name: 'x', to: sink }).info(
      { token: 'hush', request: { authorization: 'hush', cookie: 'hush' }, peer: 'orders' },
      'joined',
    );
    assert(!JSON.stringify(read()).includes('hush'));
    assert.equal(read()[0]?.['peer'], 'orders');
  });
});
