// `weft check`: asks the control plane for everything that says how the mesh is, and says what is amiss and what to do.
import { checkMesh, findingLine, worstOf } from '../../../core/explain/check.ts';
import {
  type Finding,
  finding,
  type MeshFacts,
  type ProxyFact,
  type ProxyWord,
} from '../../../core/explain/check-facts.ts';
import { describeError, MeshError } from '../../../core/kit/error.ts';
import type { CertificateItem, ProxyItem, ProxyStatusItem } from '../../api/contract.ts';
import { apiClient } from '../api/client.ts';
import { type ApiFlags, apiTarget } from '../api/target.ts';
import { diskOf } from './disk.ts';
import { knownFrom } from './known.ts';

export interface CheckArgs extends ApiFlags {
  /** Warnings count as errors. */
  readonly strict: boolean;
  /** text or json. */
  readonly output: string;
  /** The authority's folder, where it is on this machine. */
  readonly caDir: string;
}

/** Exit code: 1 where there is an error, or with `strict` a warning. Throws MeshError `usage`. */
export async function runCheck(args: CheckArgs, now: () => number, out: (line: string) => void): Promise<number> {
  const findings = await findingsOf(args, now);
  const worst = worstOf(findings);
  const healthy = worst === 'ok' || (worst === 'warning' && !args.strict);
  if (args.output === 'json') {
    out(JSON.stringify({ healthy, findings }, null, 2));
  } else {
    for (const each of findings) out(findingLine(each));
    out(summaryOf(findings, healthy));
  }
  return healthy ? 0 : 1;
}

async function findingsOf(args: CheckArgs, now: () => number): Promise<readonly Finding[]> {
  const target = await apiTarget(args, now());
  try {
    return checkMesh(await factsOf(args, now, target));
  } catch (error) {
    if (!(error instanceof MeshError) || error.code === 'usage') throw error;
    const [words, remedy] = [describeError(new MeshError(error.code, { detail: error.detail })), error.hint];
    return [finding('control-plane', 'error', words, remedy)];
  }
}

async function factsOf(
  args: CheckArgs,
  now: () => number,
  target: Awaited<ReturnType<typeof apiTarget>>,
): Promise<MeshFacts> {
  const client = apiClient(target);
  const asked = now();
  const status = await client.status();
  const answered = now();
  const [proxies, certificates] = await Promise.all([client.list('proxies'), client.list('certificates')]);
  const inForce = await knownFrom(client, proxies.items);
  return {
    // What the way there took must not pass for a clock that is wrong.
    now: (asked + answered) / 2,
    controlPlane: {
      version: status.version,
      time: Date.parse(status.time),
      refusedConfigs: status.invalidConfigs,
      configTrouble: status.configTrouble,
      notAfter: Date.parse(status.certificateNotAfter),
    },
    known: inForce?.known ?? null,
    warnings: inForce?.warnings ?? [],
    proxies: proxies.items.map((item) => proxyFact(item, Date.parse(status.time))),
    authority: certificates.items.flatMap(authorityFact),
    disk: target.kind === 'socket' ? await diskOf([args.dir, args.caDir]) : null,
  };
}

function proxyFact(item: ProxyItem, now: number): ProxyFact {
  const { name, account, proxyVersion: program, snapshot, current, refusal, inboundPort, status } = item;
  return {
    ...{ name, account, program, snapshot, current, refusal, inboundPort },
    ...{ registered: item.registered, drained: item.drained },
    notAfter: Date.parse(status?.certificate?.notAfter ?? item.notAfter),
    word: status === null ? null : wordOf(status, now),
  };
}

function wordOf(status: ProxyStatusItem, now: number): ProxyWord {
  const { viewOrigin, viewAgeSeconds, time, appHealth, appHealthReason, draining, unbound, unreachable } = status;
  return {
    ...{ viewOrigin, appHealth, appHealthReason, draining, unbound, unreachable },
    viewAge: viewAgeSeconds * 1_000 + Math.max(0, now - Date.parse(time)),
    clockSkew: status.clockOffsetMs,
  };
}

function authorityFact({ purpose, notAfter }: CertificateItem): MeshFacts['authority'] {
  return purpose === 'root' || purpose === 'issuing' ? [{ purpose, notAfter: Date.parse(notAfter) }] : [];
}

function summaryOf(findings: readonly Finding[], healthy: boolean): string {
  const count = (level: Finding['level']): number => findings.filter((each) => each.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors + warnings === 0) return 'healthy';
  const words = [
    ...(errors === 0 ? [] : [`${errors} error${errors === 1 ? '' : 's'}`]),
    ...(warnings === 0 ? [] : [`${warnings} warning${warnings === 1 ? '' : 's'}`]),
  ];
  return `${healthy ? 'healthy' : 'not healthy'}: ${words.join(', ')}`;
}
