// Makes package-lock.json: `npm run lock`, after every change of package.json. npm run by an older Node silently locks
// older versions of packages that ask for a newer one, so it is run by the Node that runs this.
import { spawnSync } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Exit code of npm. */
function lock(folder: string): number {
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const done = spawnSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  return done.status ?? 1;
}

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write('weft: the lock is made under Node 24 or newer (run `npm test` once, then `npm run lock`)\n');
  process.exitCode = 1;
} else {
  process.exitCode = lock(root) || lock(join(root, 'tools', 'node'));
}
