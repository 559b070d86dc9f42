// The plan → weft.yaml, every guess with its reason beside it.
import { trustDomainOf } from './mesh-names.ts';
import type { Member, Plan } from './plan.ts';
import { edgeSockets, type EdgeSocket } from './edge-port.ts';
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
        `    listeners: [${edgeSockets(member).map(listenerText).join(', ')}] # published as before`,
        ...(edgeSockets(member).some(({ bytesTo }) => bytesTo === null)
          ? [`    routes: [{ match: /**, to: ${member.name} }]`]
          : []),
      );
    }
  }
  return `${lines.map((line) => oneLine(line)).join('\n')}\n`;
}

function listenerText({ listen, bytesTo }: EdgeSocket): string {
  return bytesTo === null
    ? `{ port: ${listen} }`
    : `{ port: ${listen}, protocol: tcp, to: ${bytesTo.includes(':') ? JSON.stringify(bytesTo) : bytesTo} }`;
}

/** One port, or several by name. */
function portLines({ port, protocol, portReason, further }: Member): readonly string[] {
  if (further.length === 0) {
    return [`    port: ${port} # ${portReason}`, ...(protocol === 'tcp' ? ['    protocol: tcp'] : [])];
  }
  return [
    '    ports:',
    `      ${protocol}: ${port} # ${portReason}`,
    ...further.map((each) => `      ${each.name}: { port: ${each.port}, protocol: tcp } # as bytes`),
  ];
}

function timeoutLine({ protocol, further }: Member): string {
  const times = protocol === 'tcp' ? '{ idle: 0 }' : further.length > 0 ? '{ request: 0, idle: 0 }' : '0';
  return `    timeout: ${times} # no limit, as without Weft`;
}

function serviceLines(member: Member): readonly string[] {
  const { name, service, port, portReason, calls, otherPorts } = member;
  const isRange = otherPorts.length > 0;
  const was = name === service.name ? '' : ` # ${service.name} in the compose file`;
  const lines = [`  ${name}:${was}`];
  if (port === null) lines.push(`    # ${portReason}`);
  else {
    lines.push(...portLines(member), timeoutLine(member));
    if (isRange) lines.push('    # Its published ranges are not carried: they stay as they were, without mutual TLS.');
  }
  if (calls.length === 0) lines.push('    calls: []');
  else lines.push('    calls:', ...calls.map(({ to, reason }) => `      - ${to} # ${reason}`));
  return lines;
}
