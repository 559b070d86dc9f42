// `weft init`: a commented weft.yaml that `weft up` runs as it is, in an empty folder.
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { MeshError } from '../../core/kit/error.ts';
import { isErrno, writeFileAtomic } from '../../host/files.ts';

export interface InitArgs {
  /** Made where it is missing. */
  readonly dir: string;
  /** Write over a weft.yaml that is there. */
  readonly force: boolean;
}

/** Exit code. Throws MeshError `file-unreadable` where the folder cannot be written. */
export async function runInit(args: InitArgs, out: (line: string) => void): Promise<number> {
  const path = join(args.dir, 'weft.yaml');
  if (!(await write(path, args))) {
    out(`error: ${path} is there already (--force writes over it)`);
    return 1;
  }
  out(`wrote ${path}`);
  out('next: weft up');
  return 0;
}

/** False where the file is there and may not be replaced. */
async function write(path: string, args: InitArgs): Promise<boolean> {
  try {
    await mkdir(args.dir, { recursive: true });
    if (args.force) {
      await writeFileAtomic(path, STARTER);
      return true;
    }
    // wx: whoever comes second, even by a moment, overwrites nothing.
    const file = await open(path, 'wx');
    try {
      await file.writeFile(STARTER);
    } finally {
      await file.close();
    }
    return true;
  } catch (cause) {
    if (isErrno(cause, 'EEXIST')) return false;
    if (cause instanceof MeshError) throw cause;
    const detail = `${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new MeshError('file-unreadable', { detail, cause });
  }
}

// The commands hold no backslash, dollar sign, backtick or double quote: they read the same in any shell.
export const STARTER = `# yaml-language-server: $schema=./node_modules/weft/config.schema.json
#
# A whole mesh on this machine:   weft up
# then, from another terminal:    curl http://127.0.0.1:8080/
# and over TLS:                   curl --cacert .weft/ca/root.pem https://localhost:8443/
# Is this file right?             weft validate weft.yaml
#
# Edit it while \`weft up\` runs: a valid edit is live within a second, an invalid one changes nothing.

version: 1

mesh:
  trustDomain: weft.local # every identity is spiffe://weft.local/ns/default/sa/<service>

services:
  # Called by the edge. It reaches hello, and nothing else, through its sidecar: HELLO_URL says where.
  web:
    port: 3000
    calls: [hello]
    timeout: 5s
    run: >-
      node -e "
      const { createServer } = require('node:http');
      const { EOL } = require('node:os');
      createServer(async (request, response) => {
        const hello = new URL('/hello?path=' + encodeURIComponent(request.url), process.env.HELLO_URL);
        const answer = await fetch(hello).then((found) => found.text(), (fault) => 'no answer: ' + fault.message);
        response.end('web asked hello, and hello said: ' + answer + EOL);
      }).listen(process.env.PORT, process.env.HOST);
      "

  # Two instances; the callers' sidecars share the requests out between them.
  hello:
    port: 3001
    instances: 2
    allow:
      - { from: web, methods: [GET], paths: [/hello] } # anything else is answered with 403
    run: >-
      node -e "
      const { createServer } = require('node:http');
      createServer((request, response) => {
        response.end('hello from process ' + process.pid + ', trace ' + request.headers['x-trace-id']);
      }).listen(process.env.PORT, process.env.HOST);
      "

edges:
  main:
    listeners:
      - { port: 8443, hosts: [hello.localhost], tls: internal } # a certificate of the mesh's own authority
      - { port: 8080, address: 127.0.0.1 } # plaintext, this machine only
    routes:
      - { match: /**, to: web }
      # The most specific route wins; a few more forms:
      # - { match: GET /api/users/*, to: users }
      # - { match: { prefix: /old, method: GET }, to: web, rewrite: { prefix: /old, to: / } }
      # - { match: /api/orders/**, to: { orders@v1: 95, orders@v2: 5 } }
`;
