// Builds what the package ships: dist/cli.js, dist/proxy.js and dist/control-plane.js with everything they need, so
// that installing it fetches nothing else; what is imported lazily stays in chunks of its own and is loaded lazily.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

// CommonJS packages inside an ESM bundle still call require for Node's own modules.
const BANNER = `import { createRequire as __createRequire } from 'node:module';
import { dirname as __dirnameOf } from 'node:path';
import { fileURLToPath as __pathOf } from 'node:url';
const require = __createRequire(import.meta.url), __filename = __pathOf(import.meta.url), __dirname = __dirnameOf(__filename);`;

rmSync(dist, { recursive: true, force: true });
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: {
    cli: 'control-plane/cli/main.ts',
    proxy: 'proxy/main.ts',
    'control-plane': 'control-plane/main.ts',
    health: 'control-plane/cli/health/main.ts',
  },
  outdir: 'dist',
  // All in one folder: the programs find each other by `./proxy.js`.
  chunkNames: 'chunk-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minify: true,
  banner: { js: BANNER },
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
});
writeFileSync(join(dist, 'THIRD-PARTY.txt'), thirdParty(Object.keys(metafile.inputs)));
chmodSync(join(root, 'bin', 'weft.js'), 0o755);

/** The licences of the packages that are inside the bundle. */
function thirdParty(inputs: readonly string[]): string {
  const packages = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  const parts = [...packages].toSorted().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
      license?: string;
    };
    return `${name} ${version} (${license ?? 'see below'})\n\n${licenceText(join(root, folder))}`;
  });
  return `The files beside this one contain these packages.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

function packageFolder(path: string): string | null {
  const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
  return found?.[1] ?? null;
}

function licenceText(folder: string): string {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'LICENCE', 'license', 'license.md']) {
    const path = join(folder, name);
    if (existsSync(path)) return `${readFileSync(path, 'utf8').trim()}\n`;
  }
  return '(the package holds no licence text)\n';
}
