#!/usr/bin/env node
// Checks the version first: the program itself would not even parse on an older Node.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    `weft: Weft needs Node 24 or newer; this is ${process.versions.node} (install Node 24, as with \`nvm install 24\`, and run it again)\n`,
  );
  process.exit(1);
}
import('../dist/cli.js').catch((error) => {
  const missing = error && error.code === 'ERR_MODULE_NOT_FOUND';
  process.stderr.write(missing ? 'weft: the package is not built (run `npm run build`)\n' : `weft: ${error.message}\n`);
  process.exit(1);
});
