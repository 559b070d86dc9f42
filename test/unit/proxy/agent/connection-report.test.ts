import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionReport, plainReason } from '../../../../proxy/agent/connection-report.ts';
import { recordingLog } from '../../../support/recording-log.ts';

const HERE = { host: '::1', port: 15_012 };

test('what the library says is told in plain words', () => {
  const wrap = (text: string) => `No connection established. Last error: ${text}. Resolution note: `;
  const words: [string, string][] = [
    [wrap('Error: connect ECONNREFUSED 127.0.0.1:1'), 'connect ECONNREFUSED 127.0.0.1:1'],
    [
      wrap('Error: self-signed certificate in certificate chain'),
      'what answers there is of another certificate authority',
    ],
    [wrap('Error: certificate is not yet valid'), 'its certificate is not valid yet: a clock is wrong, here or there'],
    [wrap('Error: certificate has expired'), 'its certificate has expired: it was not renewed, or a clock is wrong'],
    [wrap('Failed to connect (2026-11-22T09:55:25.025Z)'), 'it closed the connection; it may not know our certificate'],
    ['Name resolution failed for target dns:nowhere.test:15012', 'no address is known for nowhere.test:15012'],
    ['orders is not in the configuration', 'orders is not in the configuration'],
  ];
  for (const [details, plain] of words) assert.equal(plainReason(details), plain);
});

test('a long outage is one line, another kind of trouble is news, and so is the return', () => {
  const log = recordingLog();
  const report = new ConnectionReport(log);
  const end = (code: number) => ({ code, reason: 'gone', connected: false, refused: false });
  report.connected(HERE);
  report.connected(HERE);
  for (let tries = 0; tries < 5; tries++) report.lost(end(14), true, HERE);
  report.lost(end(16), false, HERE);
  report.connected(HERE);
  assert.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    [
      'info connected to the control plane',
      'warn no control plane: gone; the last view keeps being served, trying again',
      'warn no control plane: gone; there is no view yet, trying again',
      'info connected to the control plane',
    ],
  );
  assert.equal(log.lines[0]?.fields['address'], '[::1]:15012');
});

test('a service that the configuration lacks is not told that the control plane is away', () => {
  const log = recordingLog();
  const report = new ConnectionReport(log);
  report.lost({ code: 9, reason: 'shop is not in the configuration', connected: false, refused: false }, false, HERE);
  assert.deepEqual(
    log.lines.map(({ message }) => message),
    [
      'no view from the control plane: shop is not in the configuration (add it there); there is no view yet, trying again',
    ],
  );
});
