// Lets a shell that runs one plain command become that command, so that the app has the pid that signals go to.

const QUOTED = /'[^']*'|"(?:[^"\\$`]|\\.)*"/gs;
const PLAIN = /^[\w\s./:=@%+,-]+$/;
const BUILTIN = new Set(['.', ':', 'alias', 'cd', 'command', 'eval', 'exec', 'exit', 'export', 'if', 'for', 'case']);
const MORE_BUILTIN = new Set(['read', 'set', 'source', 'time', 'trap', 'ulimit', 'umask', 'until', 'wait', 'while']);

/** `exec COMMAND` where that means the same; every other command line as it is. */
export function replaceShell(command: string): string {
  const bare = command.trim().replaceAll(QUOTED, 'Q');
  const first = bare.split(/\s/, 1)[0] ?? '';
  // A line break parts two commands, `A=1 node` sets a variable: neither can follow exec.
  const simple = PLAIN.test(bare) && !bare.includes('\n') && first !== '' && !first.includes('=');
  return simple && !BUILTIN.has(first) && !MORE_BUILTIN.has(first) ? `exec ${command.trim()}` : command;
}
