// Whatever a compose file says, what comes out of it is YAML, a valid configuration, and says no service twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDocument } from 'yaml';
import { overrideYaml } from '../../../../../control-plane/cli/compose/override.ts';
import { planProject } from '../../../../../control-plane/cli/compose/plan.ts';
import { readProject } from '../../../../../control-plane/cli/compose/project.ts';
import { reportLines } from '../../../../../control-plane/cli/compose/report.ts';
import { readComposeSource } from '../../../../../control-plane/cli/compose/source.ts';
import { weftYaml } from '../../../../../control-plane/cli/compose/weft-yaml.ts';
import { addedNames } from '../../../../../control-plane/cli/compose/workloads.ts';
import { parseConfig } from '../../../../../core/config/parse.ts';

const OPTIONS = { image: 'weft:dev', podImage: 'weft:netns', config: './weft.yaml', base: './compose.yaml' };

const name = fc.stringMatching(/^[a-cA-C][a-c._-]{0,2}$/);
const port = fc.integer({ min: 0, max: 70_000 });
const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
const anything = fc.oneof(scalar, fc.jsonValue({ maxDepth: 2 }));
const address = fc
  .tuple(fc.constantFrom('http://', 'redis://', 'x://u:p@', 'dns:///', ''), name, port)
  .map(([scheme, host, at]) => `${scheme}${host}:${at}`);
const text = fc.oneof(fc.string(), address, fc.constantFrom('${A:-b}', '$$', 'a\nb: c', '# x', '"', '\u0085'));
const published = fc.tuple(port, port).map(([a, b]) => `${a}:${b}`);
const service = fc.record(
  {
    image: fc.oneof(text, fc.constantFrom('redis:7', 'postgres')),
    ports: fc.oneof(fc.array(fc.oneof(published, port, text, anything), { maxLength: 3 }), anything),
    expose: fc.oneof(fc.array(fc.oneof(port, text), { maxLength: 3 }), anything),
    environment: fc.oneof(fc.dictionary(text, text), fc.array(text), anything),
    depends_on: fc.oneof(fc.array(name), fc.dictionary(name, anything), anything),
    networks: fc.oneof(
      fc.array(name),
      fc.dictionary(name, fc.record({ aliases: fc.array(fc.oneof(name, text)), ipv4_address: text })),
      anything,
    ),
    links: fc.oneof(fc.array(fc.tuple(name, text).map((pair) => pair.join(':'))), anything),
    network_mode: fc.oneof(
      name.map((to) => `service:${to}`),
      text,
      anything,
    ),
    command: fc.oneof(text, fc.array(text), anything),
    extra_hosts: fc.oneof(fc.dictionary(text, text), anything),
    sysctls: fc.oneof(fc.dictionary(text, scalar), anything),
    deploy: fc.oneof(fc.record({ replicas: fc.integer({ min: -1, max: 40 }) }), anything),
    scale: anything,
    profiles: anything,
    hostname: anything,
    container_name: fc.oneof(text, anything),
    healthcheck: fc.oneof(fc.record({ test: fc.oneof(text, fc.array(text)) }), anything),
  },
  { requiredKeys: [] },
);
const project = fc.record(
  { name: anything, services: fc.dictionary(name, fc.oneof(service, anything), { maxKeys: 6 }), include: anything },
  { requiredKeys: ['services'] },
);

test('any compose file gives valid YAML and a valid configuration', () => {
  fc.assert(
    fc.property(project, (value) => {
      const source = readComposeSource('compose.yaml', JSON.stringify(value));
      assert.ok(source.ok);
      const around = { variables: new Map(), envFiles: new Map(), folder: 'folder' };
      const plan = planProject(readProject(source.value, around), { http: new Map(), outside: new Set() });
      assert.ok(plan.ok);
      assert.ok(reportLines(plan.value).length > 0);
      const config = weftYaml(plan.value);
      const parsed = parseConfig([{ name: 'weft.yaml', text: config }]);
      assert.ok(parsed.ok, `${JSON.stringify(parsed)}\n${config}`);
      const override = overrideYaml(plan.value, OPTIONS);
      const document = parseDocument(override, { merge: true, logLevel: 'silent' });
      assert.deepEqual(document.errors, [], override);
      const added = addedNames(plan.value).services;
      const own = Object.keys(value.services);
      if (added.every((each) => !own.includes(each))) assert.equal(new Set(added).size, added.length);
    }),
    { numRuns: 150 },
  );
});
