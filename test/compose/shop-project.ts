// docker-compose.yml as a project of its own: IPv6 in its network, a free port, and a configuration that may be
// edited. Beside the shop as it is, `users` also calls `orders`, which listens on the very port that users has.
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loopbackAddresses } from '../../core/compile/loopback.ts';
import { docker, requireEngine, ROOT, tryDocker, type Ran } from './engine.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export class ShopProject {
  readonly name: string;
  readonly network: string;
  #folder = '';
  #port = 0;
  #ca = '';
  #agent = new Agent({ keepAlive: true });

  constructor(name: string) {
    this.name = name;
    this.network = `${name}_mesh`;
  }

  /** `up --build --wait`, on a project without any state. */
  async start(): Promise<void> {
    await requireEngine();
    this.#folder = await mkdtemp(join(tmpdir(), 'weft-compose-'));
    this.#port = await freePort();
    await cp(join(ROOT, 'examples/shop'), join(this.#folder, 'shop'), {
      recursive: true,
      filter: (path) => !path.includes('.weft'),
    });
    const config = join(this.#folder, 'shop/weft.yaml');
    const text = await readFile(config, 'utf8');
    const users = 'run: node users.js\n    calls: [payments]';
    if (!text.includes(users)) throw new Error('the shop is not what this test knows');
    await writeFile(config, text.replace(users, users.replace('[payments]', '[payments, orders]')));
    await writeFile(join(this.#folder, 'test.yml'), overrides());
    await this.down('--volumes', '--remove-orphans');
    await this.compose('up', '--build', '--detach', '--wait');
    await this.compose('cp', 'control-plane:/var/lib/weft/ca/root.pem', join(this.#folder, 'root.pem'));
    this.#ca = await readFile(join(this.#folder, 'root.pem'), 'utf8');
  }

  async remove(): Promise<void> {
    this.#agent.destroy();
    if (this.#folder === '') return;
    await this.down('--volumes', '--remove-orphans');
    await rm(this.#folder, { recursive: true, force: true });
  }

  /**
   * `down`, and sees for itself that no container is left. Engine 20.10 under load now and then miscounts the endpoints
   * of a network that has none, and then refuses to remove it until it is started again; `up` uses the network as it is.
   */
  async down(...options: readonly string[]): Promise<void> {
    const { code, stderr } = await this.tryCompose('down', '--timeout', '5', ...options);
    const left = await this.compose('ps', '--all', '--quiet');
    const attached = await tryDocker(['network', 'inspect', '-f', '{{len .Containers}}', this.network]);
    const miscounted = stderr.includes('has active endpoints') && attached.stdout.trim() === '0';
    if ((code !== 0 && !miscounted) || left !== '') throw new Error(`docker compose down: ${stderr}\n${left}`);
  }

  compose(...args: readonly string[]): Promise<string> {
    return docker(this.#line(args), this.#env);
  }

  tryCompose(...args: readonly string[]): Promise<Ran> {
    return tryDocker(this.#line(args), this.#env);
  }

  /** The container of a service, as docker knows it. */
  async container(service: string): Promise<string> {
    const id = await this.compose('ps', '--all', '--quiet', service);
    if (!/^[0-9a-f]{12,}$/.test(id)) throw new Error(`there is no one container of ${service}: ${id}`);
    return id;
  }

  /** Output of a script that Node runs in a service's container. */
  async inside(service: string, script: string): Promise<string> {
    return this.compose('exec', '-T', service, 'node', '-e', script);
  }

  /** From outside, over TLS to the published port, verified by the mesh's root. */
  call(method: string, path: string, body?: unknown, timeout = 20_000): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const options = { method, ca: this.#ca, agent: this.#agent, timeout };
    const headers = payload === undefined ? {} : { 'content-type': 'application/json' };
    const url = new URL(path, `https://localhost:${this.#port}`);
    const outgoing = request(url, { ...options, headers, family: 4 }, async (response) => {
      let text = '';
      try {
        for await (const chunk of response) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> });
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`${method} ${path} timed out`)));
    outgoing.on('error', reject);
    outgoing.end(payload);
    return promise;
  }

  /** Who served the next few requests, as the services say it. */
  async servers(path: string, count = 8): Promise<Set<string>> {
    const seen = new Set<string>();
    for (let i = 0; i < count; i += 1) {
      const { status, body } = await this.call('GET', path);
      seen.add(status === 200 ? String((body['hops'] as string[]).at(-1)) : `status ${status}`);
    }
    return seen;
  }

  /** The shop's files without the configuration are the ones of the repository. */
  get folder(): string {
    return this.#folder;
  }

  get #env(): NodeJS.ProcessEnv {
    return { WEFT_HTTPS_PORT: String(this.#port), WEFT_CONFIG_DIR: join(this.#folder, 'shop') };
  }

  #line(args: readonly string[]): string[] {
    const files = ['-f', join(ROOT, 'docker-compose.yml'), '-f', join(this.#folder, 'test.yml')];
    return ['compose', '-p', this.name, '--progress', 'plain', ...files, ...args];
  }
}

function overrides(): string {
  const orders = loopbackAddresses(['orders', 'payments', 'users', 'web']).get('orders');
  return `services:
  users-1-pod:
    command: [pod, --app-port, "8080", --redirect, "${orders}:8080=127.0.0.1:15001"]
    extra_hosts: ["orders:${orders}"]
  # Listens on IPv6 as well, so that it is the rule which keeps strangers out there.
  orders-v1-1: { environment: { HOST: "::" } }
networks:
  mesh: { enable_ipv6: true, ipam: { config: [{ subnet: "fd5e:7e57::/64" }] } }
`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
