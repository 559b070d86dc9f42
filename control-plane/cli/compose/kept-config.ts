// A weft.yaml that is there already is the user's: it stays, and the override is written for what it says.
import { parseConfig } from '../../../core/config/parse.ts';
import type { WorkloadService } from '../../../core/model/mesh.ts';
import { err, ok, type Result } from '../../../core/kit/result.ts';
import { problemLine } from '../validate.ts';
import { carriedPorts } from './carried-ports.ts';
import type { FurtherPort, Member, Plan } from './plan.ts';

/** The plan with the calls of the file; errors are what the file would have to say too. */
export function keepConfig(plan: Plan, name: string, text: string): Result<Plan, readonly string[]> {
  const parsed = parseConfig([{ name, text }]);
  if (!parsed.ok) return err(parsed.error.map((problem) => problemLine(problem)));
  const { mesh } = parsed.value;
  const wrong: string[] = [];
  const members = plan.members.map((member): Member => {
    const service = mesh.services.get(member.name);
    const further = service?.kind === 'workload' ? furtherOf(service, member) : null;
    if (service?.kind !== 'workload' || service.port !== member.port || further === null) {
      const ports = carriedPorts(member);
      const port = ports.length === 0 ? 'without a port' : `with port ${ports.join(', ')}`;
      wrong.push(
        `${name} is there already, but has no service ${member.name} ${port}: correct it, or --force writes over it`,
      );
      return member;
    }
    if (member.edgePorts.length > 0 && !mesh.edges.has(member.name)) {
      wrong.push(`${name} is there already, but has no edge ${member.name}: correct it, or --force writes over it`);
    }
    return { ...member, protocol: bytesOrHttp(service), further, calls: callsOf(service, member, plan, name) };
  });
  return wrong.length > 0 ? err(wrong) : ok({ ...plan, members });
}

/** The file may call them otherwise; null: it lacks one. */
function furtherOf(service: WorkloadService, member: Member): readonly FurtherPort[] | null {
  const known = member.further.every(({ port }) => service.ports.some((each) => each.port === port));
  return known ? service.ports.map(({ name, port }) => ({ name, port })) : null;
}

function bytesOrHttp({ protocol }: WorkloadService): Member['protocol'] {
  return protocol === 'tcp' ? 'tcp' : 'http';
}

function callsOf(service: WorkloadService, member: Member, plan: Plan, file: string): Member['calls'] {
  return service.calls.flatMap((call) => {
    const callee = plan.members.find(({ name }) => name === call.service);
    if (callee === undefined) return [];
    const guessed = member.calls.find(({ to }) => to === call.service);
    return [guessed ?? { to: call.service, service: callee.service.name, reason: file }];
  });
}
