// The operations on single instances: an operator takes one out of every view, or lets it back. Not in the audit log, which
// is about configurations: the log of the control plane says who did it.
import { DRAIN, DRAIN_REQUEST, type DrainDone } from './contract-changes.ts';
import type { ApiFacts } from './facts.ts';
import { done, notFound, problem, type Call, type Operation, type Outcome } from './operation.ts';
import { whoOf } from './who.ts';

type Facts = Pick<ApiFacts, 'proxies' | 'hold' | 'release' | 'log'>;

const PLAIN = {
  method: 'POST',
  role: 'operator',
  query: [],
  body: DRAIN_REQUEST,
  conditional: false,
  answer: DRAIN,
  status: 200,
  watched: null,
} as const;

export function drainOperations(facts: Facts): readonly Operation[] {
  return [
    {
      ...PLAIN,
      id: 'drain',
      path: '/v1/proxies/{name}/drain',
      summary: 'Take an instance out of every view, and wait until its callers have acknowledged that (5 s at most).',
      problems: ['too-large', 'not-found', 'conflict'],
      run: (call) => drain(facts, call),
    },
    {
      ...PLAIN,
      id: 'undrain',
      path: '/v1/proxies/{name}/undrain',
      summary: 'Let an instance back that an operator has taken out.',
      problems: ['too-large', 'conflict'],
      run: (call) => undrain(facts, call),
    },
  ];
}

async function drain(facts: Facts, call: Call): Promise<Outcome> {
  const { name } = call;
  const proxies = facts.proxies();
  const proxy = proxies.find(({ instance }) => instance === name);
  if (proxy === undefined) {
    const known = proxies.map(({ instance }) => instance);
    return notFound('proxies', 'proxy', name, known);
  }
  if (proxy.inboundPort === 0)
    return problem('conflict', `nobody in the mesh calls ${name}`, 'to end an edge, stop it');
  facts.log.info({ instance: name, who: whoOf(call) }, 'an operator takes an instance out');
  const held = await facts.hold(name);
  if (!held.ok) return problem('conflict', held.error);
  const answer: DrainDone = { instance: name, drained: true, late: held.value };
  return done(answer);
}

function undrain(facts: Facts, call: Call): Outcome {
  const { name } = call;
  if (!facts.release(name)) return problem('conflict', `nobody has taken ${name} out`);
  facts.log.info({ instance: name, who: whoOf(call) }, 'an operator lets an instance back');
  const answer: DrainDone = { instance: name, drained: false, late: [] };
  return done(answer);
}
