// Makes a fresh clone ready: installs the packages when they are missing or older than the lock, and on a
// machine whose Node is older than 24 brings Node 24 and links it where npm scripts look first. Plain built-ins:
// it must run on Node 20.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readlinkSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const need = 24;

function stale(folder) {
  const stamp = join(folder, 'node_modules', '.package-lock.json');
  return !existsSync(stamp) || statSync(stamp).mtimeMs < statSync(join(folder, 'package-lock.json')).mtimeMs;
}

function install(folder) {
  process.stderr.write(`installing packages in ${folder === root ? 'this folder' : 'tools/node'} (once) …\n`);
  // Not `npm ci`: it refuses the lock where the registry it was made with lacks an optional package of a foreign
  // platform. This installs what the lock says all the same, and never rewrites it.
  const done = spawnSync(
    'npm',
    ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, npm_config_engine_strict: 'false' },
    },
  );
  if (done.status !== 0)
    fail(`npm install failed in ${folder}`, 'look at the lines above; the network or the registry may be out of reach');
  const now = new Date();
  utimesSync(join(folder, 'node_modules', '.package-lock.json'), now, now);
}

function linkNode() {
  const node = join(root, 'tools', 'node', 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  if (!existsSync(node)) {
    fail(
      `Weft needs Node ${need} or newer; this is ${process.versions.node}`,
      `install Node ${need} for ${process.platform}-${process.arch} and run this again`,
    );
  }
  const link = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(link) && readlinkSync(link) === node) return;
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(node, link);
}

function fail(what, hint) {
  process.stderr.write(`weft: ${what} (${hint})\n`);
  process.exit(1);
}

if (stale(root)) install(root);
if (Number(process.versions.node.split('.')[0]) < need) {
  if (stale(join(root, 'tools', 'node'))) install(join(root, 'tools', 'node'));
  linkNode();
}
