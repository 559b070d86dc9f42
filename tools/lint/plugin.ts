// The linter's rules of our own. `weft/boundaries` holds every way to name another module (import, export from,
// import(), require, import("…").T) to the table in zones.ts.
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { judgeFile, judgePackage, zoneOf } from './zones.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The little of ESTree that is looked at. */
interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly name?: string;
}

interface Importing extends Node {
  readonly source: Node | null;
}

interface Context {
  readonly filename: string;
  report(problem: { node: Node; message: string }): void;
}

const boundaries = {
  create(context: Context) {
    const file = relative(root, context.filename);
    if (zoneOf(file) === null) return {};
    const check = (node: Node, specifier: unknown): void => {
      const message = judge(file, specifier);
      if (message !== null) context.report({ node, message });
    };
    const bySource = (node: Importing): void => {
      if (node.source !== null) check(node, node.source.value);
    };
    return {
      ImportDeclaration: bySource,
      ExportNamedDeclaration: bySource,
      ExportAllDeclaration(node: Importing): void {
        context.report({ node, message: 'no barrels: import the defining file' });
        bySource(node);
      },
      ImportExpression: bySource,
      TSImportType(node: Importing): void {
        context.report({ node, message: 'write `import type` at the top' });
        bySource(node);
      },
      CallExpression(node: Node & { readonly callee: Node }): void {
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'require') return;
        context.report({ node, message: 'write `import`, not require' });
      },
      TSImportEqualsDeclaration(node: Node): void {
        context.report({ node, message: 'write `import`, not `import =`' });
      },
    };
  },
};

function judge(file: string, specifier: unknown): string | null {
  if (typeof specifier !== 'string') return 'import a module by its literal name';
  if (specifier.startsWith('.')) return judgeFile(file, relative(root, join(root, dirname(file), specifier)));
  if (specifier.startsWith('/') || specifier.startsWith('file:') || specifier.startsWith('#')) {
    return 'import files of the repository by a relative path';
  }
  if (specifier === 'weft' || specifier.startsWith('weft/')) return 'the program does not import itself as a package';
  return judgePackage(file, specifier);
}

// The linter takes plugins by their default export only.
export default { meta: { name: 'weft' }, rules: { boundaries } };
