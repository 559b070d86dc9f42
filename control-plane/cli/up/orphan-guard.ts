// Should `weft up` die without a chance to stop its apps (SIGKILL), this does: a shell that reads their process
// groups from a pipe and, when the pipe ends, stops those still listed. Weft's own processes notice by themselves.
import { type ChildProcess, spawn } from 'node:child_process';

const SCRIPT = `
trap '' INT TERM HUP
groups=''
while read -r op group; do
  kept=''
  for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
  groups=$kept
  [ "$op" = + ] && groups="$groups $group"
done
[ -z "$groups" ] && exit 0
for g in $groups; do kill -s TERM -- "-$g" 2>/dev/null; done
sleep 2
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
`;

export class OrphanGuard {
  #shell: ChildProcess | null = null;

  start(): void {
    // Detached: a Ctrl-C in the terminal must not take the guard first.
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // Without a guard everything still works; only a killed `weft up` would leave its apps behind.
    shell.on('error', () => {});
    shell.stdin?.on('error', () => {});
    this.#shell = shell;
  }

  add(group: number): void {
    this.#shell?.stdin?.write(`+ ${group}\n`);
  }

  remove(group: number): void {
    this.#shell?.stdin?.write(`- ${group}\n`);
  }

  close(): void {
    this.#shell?.stdin?.end();
    this.#shell = null;
  }
}
