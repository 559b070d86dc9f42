import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replaceShell } from '../../../../../control-plane/cli/up/replace-shell.ts';

describe('the command of a service', () => {
  it('takes the place of its shell where it is one plain command', () => {
    for (const command of [
      'node web.js',
      '  node --flag=1 ./a/b.js ',
      `node -e "const a = 'x'; f(() => { g(); });"`,
      "python3 -m 'http.server' 80",
      `node -e "
      two('lines');
      "`,
    ]) {
      assert.equal(replaceShell(command), `exec ${command.trim()}`);
    }
  });

  it('keeps its shell where exec would mean something else', () => {
    for (const command of [
      'node a.js && node b.js',
      'node a.js; sleep 1',
      'A=1 node a.js',
      'cd app',
      'exec node a.js',
      'node a.js\nnode b.js',
      'node "$FILE"',
      'node `pick`',
      'node a.js > log',
      'node a.js &',
      'node *.js',
      '(node a.js)',
      `node 'a`,
      'if true',
      '',
    ]) {
      assert.equal(replaceShell(command), command);
    }
  });
});
