// Configurations for the storm: seeded edits, after each of which the answers to the traffic are still right.
import type { EdgePorts } from './storm-mesh.ts';

interface Choices {
  comment: number;
  split: string;
  timeout: string;
  idle: string;
  extra: boolean;
  strange: boolean;
  order: boolean;
  byMethod: boolean;
  retired: boolean;
}

const SPLITS = ['back', '{ back@v1: 50, back@v2: 50 }', '{ back@v1: 0, back@v2: 100 }', 'back@v1'];
const TIMEOUTS = ['15s', '20s', '0'];

export class StormConfig {
  readonly #ports: EdgePorts;
  readonly #choices: Choices = {
    comment: 0,
    split: 'back',
    timeout: '15s',
    idle: '5m',
    extra: false,
    strange: false,
    order: false,
    byMethod: false,
    retired: false,
  };

  constructor(ports: EdgePorts) {
    this.#ports = ports;
  }

  /** Something in it is another now. Returns what. */
  edit(random: () => number): string {
    const choices = this.#choices;
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
    const what = pick(Object.keys(choices) as (keyof Choices)[]);
    switch (what) {
      case 'comment':
        choices.comment += 1;
        break;
      case 'split':
        choices.split = pick(SPLITS);
        break;
      case 'timeout':
        choices.timeout = pick(TIMEOUTS);
        break;
      case 'idle':
        choices.idle = pick(['1m', '5m', '2m']);
        break;
      default:
        choices[what] = !choices[what];
    }
    return `${what}: ${String(choices[what])}`;
  }

  /** A text that no control plane takes. */
  broken(random: () => number): string {
    const whole = this.text();
    return random() < 0.5 ? whole.slice(0, whole.length / 2) : whole.replace('to: front }', 'to: frnt }');
  }

  text(): string {
    const { comment, split, timeout, idle, extra, strange, order, byMethod, retired } = this.#choices;
    const back = `  back: { port: 3001, timeout: { request: ${timeout}, idle: ${idle} }, versions: { v1: { instances: 1 }, v2: { instances: 1 } } }`;
    const front = `  front: { port: 3000, calls: [back${extra ? ', extra' : ''}] }`;
    const routes = [
      `{ match: /split/**, to: ${split} }`,
      byMethod ? '{ match: POST /back/**, to: back@v2 }' : '{ match: /unused/**, to: back@v2 }',
      `{ match: /back/**, to: back${retired ? '@v1' : ''} }`,
      strange
        ? '{ match: { prefix: /moved }, to: back, rewrite: { prefix: /moved, to: /x } }'
        : '{ match: /moved/**, to: front }',
      '{ match: /**, to: front }',
    ];
    return `# ${comment}
version: 1
mesh: { trustDomain: storm.test }
services:
${[...(order ? [back, front] : [front, back]), ...(extra ? ['  extra: { port: 3002 }'] : [])].join('\n')}
edges:
  main:
    listeners:
      - { port: ${this.#ports.tls}, address: 127.0.0.1, hosts: [storm.test, localhost], tls: internal }
      - { port: ${this.#ports.plain}, address: 127.0.0.1 }
    routes:
${routes.map((route) => `      - ${route}`).join('\n')}
`;
  }
}
