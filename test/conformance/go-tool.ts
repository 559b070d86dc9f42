// The conformance suites that others wrote in Go: built from go/go.mod, which pins them, into .bin/. Where the
// machine has no Go, one line says so.
import { execFile } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where the archive of go.dev puts it, which is not on every PATH. */
const USUAL_PLACES = ['/usr/local/go/bin', '/usr/lib/go/bin'];
const MODULE = join(import.meta.dirname, 'go');
const BUILT = join(import.meta.dirname, '.bin');
/** A first build fetches and compiles everything. */
const BUILD_LIMIT = 600_000;

/** The path of a program. `source`: its package, in a module that go/go.mod names. */
export async function goTool(name: string, source: string): Promise<string> {
  const go = await findGo();
  const target = join(BUILT, name);
  await mkdir(BUILT, { recursive: true });
  // Go itself knows whether anything is to be done.
  await run(go, ['build', '-trimpath', '-o', target, source], { cwd: MODULE, timeout: BUILD_LIMIT });
  return target;
}

async function findGo(): Promise<string> {
  const places = [...(process.env['PATH'] ?? '').split(delimiter).filter((place) => place !== ''), ...USUAL_PLACES];
  for (const place of places) {
    const path = join(place, 'go');
    try {
      await access(path);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error('the conformance suites are Go programs, and there is no Go here: install golang (apt) or go.dev');
}
