// Asks a program of ours on its admin socket. What comes back is bounded in size and time.

export interface AdminRequest {
  readonly path: string;
  /** Default GET. */
  readonly method?: 'GET' | 'POST';
  /** Milliseconds of silence. */
  readonly silence: number;
  /** Characters of the answer. */
  readonly most: number;
}

export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
}

/** `socketPath` as `adminSocketPath` gives it. Rejects with the system's error, or one that says which bound was met. */
export function askAdmin(socketPath: string, asking: AdminRequest): Promise<AdminAnswer> {
  const { path, method = 'GET', silence, most } = asking;
  // Not by import: a module namespace of node:http reads its every getter, and one of them loads undici.
  const { request } = process.getBuiltinModule('node:http');
  return new Promise((done, fail) => {
    const asked = request({ socketPath, path, method, timeout: silence, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length > most) asked.destroy(new Error('the answer is too long'));
      });
      answer.once('end', () => done({ status: answer.statusCode ?? 0, text }));
      answer.once('error', fail);
    });
    asked.once('timeout', () => asked.destroy(new Error('no answer')));
    asked.once('error', fail);
    asked.end();
  });
}
