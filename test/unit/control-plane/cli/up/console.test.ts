import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Console } from '../../../../../control-plane/cli/up/console.ts';

function lines(colour: boolean, use: (screen: Console) => void): string[] {
  const written: string[] = [];
  use(new Console({ write: (text) => written.push(text) }, colour));
  return written.map((line) => line.replace(/\n$/, ''));
}

describe('the lines of weft up', () => {
  it('begin with who says it, in one column', () => {
    const shown = lines(false, (screen) => {
      screen.say('starting');
      screen.line('orders-v1-1', 'hello');
      screen.say('ready');
    });
    assert.deepEqual(shown, ['weft | starting', 'orders-v1-1 | hello', 'weft        | ready']);
  });

  it('show log lines for people: level, message and the fields that say something', () => {
    const line = JSON.stringify({
      level: 'warn',
      time: '2026-01-01T00:00:00Z',
      name: 'payments',
      rule: 'services.payments.allow',
      peer: null,
      flag: '-',
      took: 1.5,
      message: 'denied',
    });
    assert.deepEqual(
      lines(false, (screen) => screen.line('payments-1', line)),
      ['payments-1 | warn denied rule=services.payments.allow took=1.5'],
    );
  });

  it('leave an app’s own JSON, and broken JSON, as it is', () => {
    for (const line of ['{"order":1}', '{"level":30,"message":"x"}', '{"level":', '{}']) {
      assert.deepEqual(
        lines(false, (screen) => screen.line('app', line)),
        [`app  | ${line}`],
      );
    }
  });

  it('do not pile up where nobody reads: what is over is counted', () => {
    const written: string[] = [];
    const out = { writableLength: 0, write: (text: string) => written.push(text) };
    const screen = new Console(out, false);
    screen.line('a', 'one');
    out.writableLength = 2 * 1024 * 1024;
    screen.line('a', 'two');
    screen.line('a', 'three');
    out.writableLength = 0;
    screen.line('a', 'four');
    assert.deepEqual(written, ['a    | one\n', 'weft | 2 lines are not shown: nobody read them\n', 'a    | four\n']);
  });

  it('have colours on a terminal only', () => {
    const use = (screen: Console): void => screen.line('a', 'text');
    assert(lines(true, use)[0]?.startsWith('\u001b['));
    assert(!lines(false, use)[0]?.includes('\u001b'));
  });
});
