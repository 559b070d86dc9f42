// The plan → weft.yaml, every guess with its reason beside it.
import { trustDomainOf } from './mesh-names.ts';
import type { Member, Plan } from './plan.ts';
import { edgeListenPort } from './edge-port.ts';
import { oneLine } from './yaml-text.ts';

export function weftYaml({ project, members, outside }: Plan): string {
  const edges = members.filter(({ edgePorts, port }) => edgePorts.length > 0 && port !== null);
  const lines = [
    `# The mesh of ${project.source.name}, guessed by \`weft compose\`: every guess has its reason beside it. Correct what is`,
    '# wrong, above all `calls`: what a service calls by an address in its code or in a file of its own cannot be seen from',
    '# there, and a call that is not listed is refused.',
    '#',
    '# Is it right?   weft validate weft.yaml',
    '# An edit is live within a second; after an editor that puts a new file in its place:',
    `#   docker compose -f ${project.source.name} -f compose.weft.yml restart weft-control-plane`,
    'version: 1',
    `mesh: { trustDomain: ${trustDomainOf(project.name)} }`,
    '',
    members.length === 0 ? 'services: {}' : 'services:',
    ...members.flatMap((member) => serviceLines(member)),
    ...(outside.length === 0 ? [] : ['  # Outside the mesh, reached by their names as before:']),
    ...outside.map(({ service, reason }) => `  #   ${service.name}: ${reason}`),
  ];
  if (edges.length > 0) {
    lines.push(
      '',
      '# The front doors: what was published before, without TLS as before (`tls: internal` would end TLS here).',
      'edges:',
    );
    for (const member of edges) {
      lines.push(
        `  ${member.name}:`,
        `    listeners: [{ port: ${edgeListenPort(member.port ?? 0)} }] # published as before`,
        `    routes: [{ match: /**, to: ${member.name} }]`,
      );
    }
  }
  return `${lines.map((line) => oneLine(line)).join('\n')}\n`;
}

function serviceLines(member: Member): readonly string[] {
  const { name, service, port, portReason, calls, otherPorts } = member;
  const was = name === service.name ? '' : ` # ${service.name} in the compose file`;
  const lines = [`  ${name}:${was}`];
  if (port === null) lines.push(`    # ${portReason}`);
  else {
    lines.push(`    port: ${port} # ${portReason}`, '    timeout: 0 # no limit, as without Weft');
    for (const other of otherPorts)
      lines.push(`    # Port ${other} is not carried: it stays as it was, without mutual TLS.`);
  }
  if (calls.length === 0) lines.push('    calls: []');
  else lines.push('    calls:', ...calls.map(({ to, reason }) => `      - ${to} # ${reason}`));
  return lines;
}
