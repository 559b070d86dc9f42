// What `weft compose` says: who is in the mesh and why, what changes its form, what is not carried over.
import type { Note } from './note.ts';
import type { Member, Plan } from './plan.ts';

export function reportLines(plan: Plan): readonly string[] {
  const { project, members, notes } = plan;
  const { file } = project.source;
  const lines = [`${file}: ${count(project.services.length, 'service')}, ${members.length} in the mesh`];
  if (members.length > 0) lines.push('', 'in the mesh:', ...members.flatMap((member) => memberLines(member)));
  const changed = notes.filter(({ kind }) => kind === 'changed');
  if (changed.length > 0) lines.push('', 'in another form:', ...changed.map((note) => noteLine(file, note)));
  const cannot = notes.filter(({ kind }) => kind === 'cannot');
  if (cannot.length > 0) lines.push('', 'not carried over:', ...cannot.map((note) => noteLine(file, note)));
  lines.push(
    '',
    'Calls to addresses in code or in files of the app cannot be seen from here: add them to `calls` in weft.yaml.',
  );
  return lines;
}

export function carriesEverything({ notes }: Plan): boolean {
  return notes.every(({ kind }) => kind !== 'cannot');
}

function memberLines({ service, name, port, portReason, calls }: Member): readonly string[] {
  const was = name === service.name ? '' : `, called ${name} there`;
  const about = port === null ? 'a job' : `port ${port}: ${portReason}`;
  return [`  ${service.name}${was}, ${about}`, ...calls.map((call) => `    calls ${call.service}: ${call.reason}`)];
}

function noteLine(file: string, { service, line, text }: Note): string {
  return `  ${file}:${line}: ${service === '' ? '' : `${service}: `}${text}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
