// Whom `weft ca issue` makes a certificate for: exactly one of service, server, client and operator, and what follows
// from that.
import type { KeyObject } from 'node:crypto';
import type { Authority, IssuedCertificate } from '../../../certs/authority/authority.ts';
import {
  clientNames,
  CONTROL_PLANE_ACCOUNT,
  edgeOf,
  hostNames,
  identityOf,
  isAccount,
  isClientName,
  isServerHost,
  svidNames,
} from '../../../certs/policy/names.ts';
import { isOperatorName, operatorId, ROLES, type Role } from '../../../certs/policy/operator.ts';
import type { GeneralName } from '../../../certs/x509/general-name.ts';
import { MeshError } from '../../../core/kit/error.ts';
import { lifeOf } from './flags.ts';

export interface SubjectFlags {
  readonly service?: string;
  readonly server: readonly string[];
  readonly client?: string;
  readonly operator?: string;
  readonly role?: string;
  /** As in `72h`; left out: by what it is for. */
  readonly life?: string;
}

export interface Wanted {
  readonly purpose: 'svid' | 'server' | 'client' | 'operator';
  /** How people call it. */
  subject(authority: Authority): string;
  /** What its certificate names, and a request may ask for. */
  names(authority: Authority): readonly GeneralName[];
  sign(authority: Authority, publicKey: KeyObject): Promise<IssuedCertificate>;
}

const DAY = 24 * 3_600_000;
/** SVIDs are renewed by those who hold them; whoever holds one of these has to come again. */
const OUTSIDE_LIFE = '90d';
const LONGEST = { svid: 90, server: 397, client: 397, operator: 397 } as const;

/** Throws MeshError `usage`. */
export function subjectOf(flags: SubjectFlags): Wanted {
  const { service, server, client, operator, role } = flags;
  const given = [service, client, operator].filter((each) => each !== undefined).length + (server.length > 0 ? 1 : 0);
  if (given !== 1) {
    throw usage(
      'a certificate is for one of a service, a server, a client and an operator',
      'give one of --service, --server, --client and --operator',
    );
  }
  if (role !== undefined && operator === undefined) throw usage('--role goes with --operator');
  if (service !== undefined) return serviceSubject(service, flags);
  if (client !== undefined) return clientSubject(client, flags);
  if (operator !== undefined) return operatorSubject(operator, role ?? 'reader', flags);
  return serverSubject(server, flags);
}

function serviceSubject(service: string, flags: SubjectFlags): Wanted {
  if (!isAccount(service))
    throw usage(`"${service}" cannot be the name of a service`, 'lower-case letters, digits and hyphens');
  // Who holds one of these speaks for everybody.
  if (service === CONTROL_PLANE_ACCOUNT) throw usage(`${service} is the control plane itself, which signs its own`);
  if (edgeOf(service) !== null) throw usage(`${service} is the identity of an edge, which joins with a token`);
  const life = flags.life === undefined ? null : lifeWithin(flags.life, 'svid');
  const identity = (authority: Authority) => identityOf(authority.trustDomain, service);
  return {
    purpose: 'svid',
    subject: identity,
    names: (authority) => svidNames(identity(authority), []),
    sign: async (authority, publicKey) =>
      authority.signSvid({ publicKey, identity: identity(authority), ...(life === null ? {} : { life }) }),
  };
}

function serverSubject(server: readonly string[], flags: SubjectFlags): Wanted {
  const wrong = server.find((host) => !isServerHost(host));
  if (wrong !== undefined)
    throw usage(`"${wrong}" is neither a host name nor an address`, 'as in api.shop.test, *.shop.test or 10.0.0.1');
  const hosts = server.map((host) => host.toLowerCase());
  const life = lifeWithin(flags.life ?? OUTSIDE_LIFE, 'server');
  return {
    purpose: 'server',
    subject: () => hosts.join(', '),
    names: () => hostNames(hosts),
    sign: async (authority, publicKey) => authority.signServerCertificate({ publicKey, hosts, loopback: false, life }),
  };
}

function clientSubject(name: string, flags: SubjectFlags): Wanted {
  if (!isClientName(name))
    throw usage(`"${name}" cannot be the name of a client`, 'at most 64 characters, as in alice@shop.test');
  const life = lifeWithin(flags.life ?? OUTSIDE_LIFE, 'client');
  return {
    purpose: 'client',
    subject: () => name,
    names: () => clientNames(name),
    sign: async (authority, publicKey) => authority.signClient({ publicKey, name, life }),
  };
}

function operatorSubject(name: string, roleText: string, flags: SubjectFlags): Wanted {
  if (!isOperatorName(name)) throw usage(`"${name}" cannot be the name of an operator`, 'as in alice');
  const role: Role | undefined = ROLES.find((each) => each === roleText);
  if (role === undefined) throw usage(`--role is one of ${ROLES.join(', ')}, found '${roleText}'`);
  const life = lifeWithin(flags.life ?? OUTSIDE_LIFE, 'operator');
  const id = (authority: Authority) => operatorId(authority.trustDomain, { name, role });
  return {
    purpose: 'operator',
    subject: id,
    names: (authority) => [{ kind: 'uri', value: id(authority) }],
    sign: async (authority, publicKey) => authority.signOperator({ publicKey, name, role, life }),
  };
}

function lifeWithin(text: string, purpose: keyof typeof LONGEST): number {
  const life = lifeOf('--life', text);
  const days = LONGEST[purpose];
  if (life <= days * DAY) return life;
  throw usage(`--life is at most ${days}d here, found '${text}'`, 'shorter is safer: certificates are renewed');
}

function usage(detail: string, hint = ''): MeshError {
  return new MeshError('usage', { detail, hint });
}
