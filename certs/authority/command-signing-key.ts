// A signing key behind a command: it gets on its standard input what is to be signed, and writes the signature, raw or
// in base64, to its standard output. What it gives is verified before it is used, so that a wrong key is noticed here.
import { spawn } from 'node:child_process';
import { createHash, verify, type KeyObject } from 'node:crypto';
import { MeshError } from '../../core/kit/error.ts';
import { describeKey } from '../x509/key.ts';
import { hashFor } from '../x509/signature.ts';
import type { SigningKey } from './signing-key.ts';

/** Key services answer within a second. */
const LIMIT = 15_000;
/** RSA with 8,192 bits in base64, twice over. */
const MOST_OUTPUT = 4_096;
const MOST_COMPLAINT = 300;

/**
 * In the command's environment: `WEFT_SIGN_ALGORITHM`, as in `ECDSA P-256 with SHA256`, and `WEFT_SIGN_DIGEST`, the
 * hash of the input in hex, for services that sign no more than that; '' for Ed25519.
 * @param command program and arguments; no shell
 */
export function commandSigningKey(command: readonly string[], publicKey: KeyObject, limit = LIMIT): SigningKey {
  const hash = hashFor(publicKey);
  const algorithm = `${describeKey(publicKey)}${hash === null ? '' : ` with ${hash.toUpperCase()}`}`;
  return {
    publicKey,
    sign: async (content) => {
      const env = {
        ...process.env,
        WEFT_SIGN_ALGORITHM: algorithm,
        WEFT_SIGN_DIGEST: hash === null ? '' : createHash(hash).update(content).digest('hex'),
      };
      const output = await run(command, content, env, limit);
      for (const signature of [output, fromBase64(output)]) {
        if (signature !== null && verify(hash, content, publicKey, signature)) return signature;
      }
      throw failed(command, 'what it wrote is no signature of the key that the certificate names');
    },
  };
}

function run(command: readonly string[], input: Uint8Array, env: NodeJS.ProcessEnv, limit: number): Promise<Buffer> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'], timeout: limit, killSignal: 'SIGKILL' });
    let output: Buffer = Buffer.alloc(0);
    let complaint = '';
    child.on('error', (error) => reject(failed(command, error.message, error)));
    child.stdout.on('data', (chunk: Buffer) => {
      output = Buffer.concat([output, chunk]);
      if (output.length > MOST_OUTPUT) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk.toString('utf8')).slice(0, MOST_COMPLAINT);
    });
    // A command that reads only the digest closes this early.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (code, signal) => {
      if (output.length > MOST_OUTPUT) reject(failed(command, `it wrote more than ${MOST_OUTPUT} bytes`));
      else if (signal !== null) reject(failed(command, `it did not end within ${limit} ms`));
      else if (code !== 0) reject(failed(command, `it ended with ${code ?? 0}: ${complaint.trim()}`));
      else resolve(output);
    });
  });
}

function fromBase64(output: Buffer): Buffer | null {
  const text = output.toString('latin1').replaceAll(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : null;
}

// Its arguments may name accounts; the program is enough to find it by.
function failed(command: readonly string[], what: string, cause?: unknown): MeshError {
  return new MeshError('signing-failed', {
    detail: `${command[0] ?? ''}: ${what}`,
    hint: 'signCommand in authority.json reads from standard input and writes the signature to standard output',
    ...(cause === undefined ? {} : { cause }),
  });
}
