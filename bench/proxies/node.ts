// Peers that are Node programs.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BENCH } from '../results.ts';
import { PEERS, type PeerSpec } from './edge.ts';

export function nodeHttpSpec(port: number, upstream: number): PeerSpec {
  return program('node:http', 'node-http.ts', port, upstream);
}

const HTTPXY = 'httpxy@0.5.6';

export function httpxySpec(port: number, upstream: number): PeerSpec {
  const folder = join(PEERS, 'httpxy');
  if (!existsSync(join(folder, 'node_modules', 'httpxy'))) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', HTTPXY], { cwd: folder, stdio: 'inherit' });
  }
  return program('httpxy', 'httpxy.ts', port, upstream);
}

function program(name: string, file: string, port: number, upstream: number): PeerSpec {
  const command = [process.execPath, join(BENCH, 'proxies', file), String(port), String(upstream)];
  return { name, port, jit: true, command };
}
