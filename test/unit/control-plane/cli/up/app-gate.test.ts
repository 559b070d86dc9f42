import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { AppGate } from '../../../../../control-plane/cli/up/app-gate.ts';
import type { InstancePlan, MeshPlan } from '../../../../../control-plane/cli/up/plan.ts';
import { Readiness } from '../../../../../control-plane/cli/up/readiness.ts';

function instance(service: string, port: number | null, callees: readonly string[]): InstancePlan {
  return {
    name: `${service}-1`,
    service,
    version: null,
    port,
    run: 'node app.js',
    workers: 1,
    ports: [],
    callees,
    bytes: [],
  };
}

const PLAN: MeshPlan = {
  instances: new Map(
    [instance('web', 80, ['orders']), instance('orders', 81, []), instance('nightly', null, ['orders'])].map((plan) => [
      plan.name,
      plan,
    ]),
  ),
  edges: new Map(),
  expected: new Map(),
};

describe('the gate before an app', () => {
  it('opens once its sidecar reaches every callee, for a job once their apps accept too', () => {
    const readiness = new Readiness();
    const opened: string[] = [];
    const gate = new AppGate(readiness, (name) => void opened.push(name));
    for (const name of ['web-1', 'orders-1', 'nightly-1']) gate.wait(name);
    gate.check(PLAN);
    assert.deepEqual(opened, ['orders-1']);
    for (const name of ['web-1', 'nightly-1']) {
      readiness.note(name, { kind: 'state', snapshot: 'x', clusters: { orders: 1 } });
    }
    gate.check(PLAN);
    assert.deepEqual(opened, ['orders-1', 'web-1']);
    readiness.noteApp('orders-1', true);
    gate.check(PLAN);
    gate.check(PLAN);
    assert.deepEqual(opened, ['orders-1', 'web-1', 'nightly-1']);
    gate.close();
  });

  it('does not hold apps back that call each other, nor those that call what somebody else starts', () => {
    const readiness = new Readiness();
    const opened: string[] = [];
    const gate = new AppGate(readiness, (name) => void opened.push(name));
    const plans = [
      instance('chicken', 80, ['egg']),
      instance('egg', 81, ['hen:grpc']),
      instance('hen', 82, ['chicken@v1']),
      instance('farm', 83, ['egg']),
      instance('shop', 84, ['legacy']),
    ];
    const plan: MeshPlan = {
      instances: new Map(plans.map((each) => [each.name, each])),
      edges: new Map(),
      expected: new Map([['legacy', 0]]),
    };
    for (const name of plan.instances.keys()) gate.wait(name);
    gate.check(plan);
    assert.deepEqual(opened, ['chicken-1', 'egg-1', 'hen-1', 'shop-1']);
    gate.close();
  });

  it('opens after ten seconds in any case, but not for an instance that is gone', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    const opened: string[] = [];
    const gate = new AppGate(new Readiness(), (name) => void opened.push(name));
    gate.wait('web-1');
    gate.wait('nightly-1');
    gate.drop('nightly-1');
    mock.timers.tick(9_999);
    assert.deepEqual(opened, []);
    mock.timers.tick(1);
    assert.deepEqual(opened, ['web-1']);
    mock.timers.reset();
  });
});
