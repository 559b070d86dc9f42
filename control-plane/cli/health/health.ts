// Asks the status port of this container's own program whether it is ready: the image's HEALTHCHECK, `weft health`. It
// runs every few seconds, so it speaks the three lines of HTTP itself: node:http alone is 50 of 85 ms of CPU.
import { connect } from 'node:net';
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

const MAX_ANSWER = 64 * 1024;

function ask(port: number): Promise<Health & { readonly listens: boolean }> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PATIENCE });
    let text = '';
    socket.setEncoding('utf8');
    socket.once('connect', () =>
      socket.write('GET /readyz?of=proxy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    );
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_ANSWER) socket.destroy(new Error(`port ${port} does not speak like Weft`));
    });
    socket.once('end', () => done({ ...readAnswer(text, port), listens: true }));
    socket.once('timeout', () => socket.destroy(new Error(`port ${port} does not answer`)));
    socket.once('error', ({ message }) =>
      done({ ready: false, said: message, listens: !message.includes('ECONNREFUSED') }),
    );
  });
}

/** The status page's answers have a length and come whole. */
function readAnswer(text: string, port: number): Health {
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const status = /^HTTP\/1\.[01] (\d{3})(?: |\r)/.exec(head)?.[1];
  if (status === undefined) return { ready: false, said: `port ${port} does not speak HTTP` };
  return { ready: status === '200', said: body.trim().split('\n')[0] ?? '' };
}
