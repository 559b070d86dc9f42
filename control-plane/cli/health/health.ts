// Asks the status port of this container's own program whether it is ready: the image's HEALTHCHECK, `weft health`.
import { get } from 'node:http';
import { readAddress } from '../../../host/setting-kinds.ts';

/** Proxies, then the control plane. */
const USUAL_PORTS = [15_020, 15_021];
const PATIENCE = 2_000;

export interface Health {
  readonly ready: boolean;
  /** What the program said, or why it could not be asked; one line. */
  readonly said: string;
}

/** The port of WEFT_STATUS where it is set, else the usual ones: the first that anybody listens on answers. */
export async function askHealth(env: NodeJS.ProcessEnv): Promise<Health> {
  const ports = portsOf(env);
  for (const port of ports) {
    const answer = await ask(port);
    if (answer.listens) return answer;
  }
  return { ready: false, said: `nothing listens on 127.0.0.1:${ports.join(' or :')} (another port: WEFT_STATUS)` };
}

function portsOf(env: NodeJS.ProcessEnv): readonly number[] {
  const given = readAddress('127.0.0.1')(env['WEFT_STATUS'] ?? '');
  return given.ok ? [given.value.port] : USUAL_PORTS;
}

function ask(port: number): Promise<Health & { readonly listens: boolean }> {
  return new Promise((done) => {
    const request = get({ host: '127.0.0.1', port, path: '/readyz', agent: false, timeout: PATIENCE }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () =>
        done({ ready: response.statusCode === 200, said: text.trim().split('\n')[0] ?? '', listens: true }),
      );
    });
    request.once('timeout', () => request.destroy(new Error(`port ${port} does not answer`)));
    request.once('error', ({ message }) =>
      done({ ready: false, said: message, listens: !message.includes('ECONNREFUSED') }),
    );
  });
}
