// The second opinion on everything that certs/ writes: the machine's own openssl.
import { execFile } from 'node:child_process';

/** Its standard output; rejects with what it said where it failed. */
export function openssl(args: readonly string[], input: string | Uint8Array = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('openssl', args, { timeout: 20_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}${error.message}`));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}
