// Runs a documentation page as its reader would: `yaml` blocks that begin with `# NAME.yaml` and `js` blocks that begin
// with `// NAME.cjs` become files, which can require what Weft itself is tested with; `$ ` lines of
// `console` blocks are typed into one bash, and what stands under them must come out. `…` stands for anything within a line,
// a line of only `…` for any lines. A command that ends with `&` goes on; its output is waited for.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

const MODULES = join(import.meta.dirname, '../../node_modules');

export interface Step {
  readonly command: string;
  readonly expected: readonly string[];
  /** Line of the page, from 1. */
  readonly line: number;
}

export interface Page {
  readonly files: ReadonlyMap<string, string>;
  /** YAML blocks that are whole configurations. */
  readonly configs: readonly { readonly text: string; readonly line: number }[];
  readonly steps: readonly Step[];
}

export function readPage(file: string): Page {
  const files = new Map<string, string>();
  const configs: { text: string; line: number }[] = [];
  const steps: Step[] = [];
  const lines = readFileSync(file, 'utf8').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const kind = /^```(\w+)$/.exec(lines[i] as string)?.[1];
    if (kind === undefined) continue;
    const end = lines.indexOf('```', i + 1);
    const block = lines.slice(i + 1, end);
    const script = kind === 'js' ? /^\/\/ (\S+\.cjs)$/.exec(block[0] ?? '')?.[1] : undefined;
    if (script !== undefined) files.set(script, `${block.join('\n')}\n`);
    if (kind === 'yaml') {
      const text = `${block.join('\n')}\n`;
      const name = /^# (\S+\.yaml)$/.exec(block[0] ?? '')?.[1];
      if (name !== undefined) files.set(name, text);
      // A page shows what is wrong in a file of this name.
      if (/^version: 1$/m.test(text) && name !== 'wrong.yaml') configs.push({ text, line: i + 2 });
    }
    if (kind === 'console') steps.push(...readSteps(block, i + 2));
    i = end;
  }
  return { files, configs, steps };
}

function readSteps(block: readonly string[], first: number): Step[] {
  const steps: { command: string; expected: string[]; line: number }[] = [];
  for (const [offset, line] of block.entries()) {
    if (line.startsWith('$ ')) steps.push({ command: line.slice(2), expected: [], line: first + offset });
    else steps.at(-1)?.expected.push(line);
  }
  return steps;
}

/** Types every step of the page in `folder`, with `bin` first on PATH; throws at the first output that differs. */
export async function runPage(page: Page, folder: string, bin: string): Promise<void> {
  for (const [name, text] of page.files) writeFileSync(join(folder, name), text);
  const env = {
    ...process.env,
    PATH: `${bin}:${process.env['PATH']}`,
    NODE_PATH: MODULES,
    NO_COLOR: '1',
    HOME: folder,
  };
  const running: ChildProcess[] = [];
  try {
    for (const step of page.steps) {
      const background = step.command.endsWith(' &');
      const command = background ? step.command.slice(0, -2) : step.command;
      const child = spawn('bash', ['-c', background ? `exec ${command}` : command], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      running.push(child);
      await settle(child, step, background);
    }
  } finally {
    await Promise.all(running.map(end));
  }
}

async function settle(child: ChildProcess, step: Step, background: boolean): Promise<void> {
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  let closed = false;
  child.once('close', () => {
    closed = true;
  });
  const pattern = toPattern(step.expected);
  const said = (): string =>
    `line ${step.line}: ${step.command}\nexpected:\n${step.expected.join('\n')}\nfound:\n${output}`;
  if (background) {
    await eventually(() => closed || pattern.test(output), 60_000).catch(() => assert.fail(said()));
    assert.match(output, pattern, said());
    return;
  }
  await eventually(() => closed, 60_000);
  if (step.expected.length > 0) assert.match(output, pattern, said());
}

function toPattern(expected: readonly string[]): RegExp {
  const escape = (text: string): string =>
    text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('…', '.*');
  const lines = expected.map((line) => (line === '…' ? '(?:.*\\n)*?' : `.*${escape(line)}.*\\n?`));
  return new RegExp(lines.join(''));
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // Detached: the whole process group is the child's own.
  process.kill(-(child.pid as number), 'SIGTERM');
  await gone;
}
