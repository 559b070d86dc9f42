// The wording of `weft explain`: a configuration, divider, requests with what is said of each.
// WEFT_UPDATE_GOLDEN=1 writes the answers anew; read the diff before you commit it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { explainRequest } from '../../../../core/explain/explain.ts';
import type { Known } from '../../../../core/explain/known.ts';
import { readRequest } from '../../../../core/explain/request.ts';
import { explanationLines, isRefused } from '../../../../core/explain/request-words.ts';
import type { Endpoint } from '../../../../core/model/view.ts';
import { knownOf } from '../../../support/known-config.ts';

const FOLDER = new URL('../../../golden/explain/', import.meta.url);
const DIVIDER = '\n----------\n';

/** `$ POST http://a/b --from web -H 'x: y'` */
function answer(known: Known, line: string): readonly string[] {
  const [request = '', ...options] = line.split(/ (?=--from |-H )/);
  const values = (flag: string): readonly string[] =>
    options.filter((each) => each.startsWith(flag)).map((each) => each.slice(flag.length).replaceAll("'", ''));
  const read = readRequest(request, values('-H '));
  if (!read.ok) return [`${read.error.message} (${read.error.hint})`];
  const explained = explainRequest(known, read.value, values('--from ')[0] ?? null);
  if (!explained.ok) return [`${explained.error.message} (${explained.error.hint})`];
  return [...explanationLines(explained.value), `exit code ${isRefused(explained.value) ? 1 : 0}`];
}

/** `# instances: orders=orders-1,orders-2@v2 …` in the configuration: who is there; without it nobody was asked. */
function instancesIn(yaml: string): Known['instances'] {
  const line = /^# instances:(.*)$/m.exec(yaml)?.[1];
  if (line === undefined) return null;
  const endpoints = new Map<string, Endpoint[]>();
  for (const [index, entry] of line
    .trim()
    .split(/[\s,]+/)
    .entries()) {
    const [service = '', name = ''] = entry.split('=');
    const [id = '', version] = name.split('@');
    for (const cluster of [service, ...(version === undefined ? [] : [`${service}@${version}`])]) {
      const list = endpoints.get(cluster) ?? [];
      endpoints.set(cluster, [...list, { id, host: `10.0.0.${index + 1}`, port: 15_006, weight: 1 }]);
    }
  }
  return (cluster) => endpoints.get(cluster) ?? [];
}

for (const name of readdirSync(FOLDER).toSorted()) {
  test(`what is said of the requests in ${name} is what it is filed with`, () => {
    const file = new URL(name, FOLDER);
    const [yaml = '', expected = ''] = readFileSync(file, 'utf8').split(DIVIDER);
    const known = {
      ...knownOf(`${yaml}\n`),
      instances: instancesIn(yaml),
      active: (_cluster: string, endpoint: string) => (endpoint.endsWith('-busy') ? 3 : null),
      trouble: (_service: string, endpoint: string) => (endpoint.endsWith('-ill') ? 'its app is down: refused' : null),
    };
    const asked = expected.split('\n').filter((line) => line.startsWith('$ '));
    const output = asked.map((line) => [line, ...answer(known, line.slice(2))].join('\n')).join('\n\n');
    if (process.env['WEFT_UPDATE_GOLDEN'] === '1') writeFileSync(file, `${yaml}${DIVIDER}${output}\n`);
    else assert.equal(output, expected.trimEnd());
  });
}
