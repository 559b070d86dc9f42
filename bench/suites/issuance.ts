// Suite: how many SVIDs an authority issues, from the request that a proxy sends to the line in the ledger that is on disk.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { initAuthority, openAuthority } from '../../certs/authority/authority-folder.ts';
import { issueSvid, type IssuingParts } from '../../certs/authority/issue.ts';
import { openLedger } from '../../certs/authority/ledger.ts';
import { identityOf, svidNames } from '../../certs/policy/names.ts';
import { admitRequest } from '../../certs/policy/request-policy.ts';
import { makeCsr } from '../../certs/x509/csr.ts';
import { generateKeyPair, type KeyKind } from '../../certs/x509/key.ts';
import type { Sample } from '../sample.ts';
import { type Suite, wanted } from '../suite.ts';

const SUBJECT = 'Weft';
/** Requests that wait for the disk at the same time. */
const IN_FLIGHT = 16;
/** Different requests: making them is the proxies' work, not the authority's. */
const REQUESTS = 256;
const KINDS: readonly (readonly [string, KeyKind])[] = [
  ['P-256', 'p256'],
  ['P-384', 'p384'],
  ['Ed25519', 'ed25519'],
  ['RSA 2048', 'rsa2048'],
];

const ambient = { clock: Date.now, random: (size: number): Uint8Array => randomBytes(size) };

export const issuance: Suite = {
  name: 'issuance',
  title: 'Issuing SVIDs',
  about: `What a control plane does for each proxy that joins or renews: the request is read and its signature verified, policy looked at, the SVID signed, and the grant written to the ledger and synced; ${IN_FLIGHT} at a time. Authority and requests have keys of the same kind.`,
  tables: [
    {
      title: '',
      base: null,
      of: 'keys',
      includes: () => true,
      columns: [
        { title: 'SVIDs per CPU second', measure: 'perCpuSecond', digits: 0, main: true },
        { title: 'SVIDs/s, disk included', measure: 'rps', digits: 0 },
      ],
    },
  ],
  estimate: ({ warmup, seconds, rounds }) => KINDS.length * (Math.min(warmup, 2) + rounds * seconds),
  async run(context) {
    const { warmup, seconds, rounds } = context.effort;
    if (!wanted(context, SUBJECT)) return;
    for (const [point, kind] of KINDS) {
      const issuer = await openIssuer(join(context.work, kind), kind);
      try {
        await load(issuer, Math.min(warmup, 2));
        const samples: Sample[] = [];
        for (let round = 0; round < rounds; round += 1) samples.push(await load(issuer, seconds));
        context.rows.push({ point, rate: null, subject: SUBJECT, samples });
        context.say(point);
      } finally {
        await issuer.ledger.close();
      }
    }
  },
};

interface Issuer extends IssuingParts {
  readonly requests: readonly Buffer[];
}

async function openIssuer(dir: string, keyKind: KeyKind): Promise<Issuer> {
  await initAuthority(dir, { ...ambient, trustDomain: 'bench.test', keyKind });
  const authority = await openAuthority(dir, ambient);
  const ledger = await openLedger(join(dir, 'issued.jsonl'), ambient.clock);
  // RSA keys take long to make: a few do.
  const keys = Array.from({ length: keyKind === 'rsa2048' ? 4 : REQUESTS }, () => generateKeyPair(keyKind));
  return { authority, ledger, clock: ambient.clock, requests: keys.map((pair) => makeCsr(pair)) };
}

async function load(issuer: Issuer, seconds: number): Promise<Sample> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const until = began + seconds * 1_000;
  let issued = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (performance.now() < until) {
        await issueOne(issuer, issued % issuer.requests.length);
        issued += 1;
      }
    }),
  );
  const { user, system } = process.cpuUsage(cpu);
  const spent = (performance.now() - began) / 1_000;
  return { perCpuSecond: (issued * 1_000_000) / (user + system), rps: issued / spent };
}

async function issueOne(issuer: Issuer, index: number): Promise<void> {
  const account = `service-${index}`;
  const permitted = svidNames(identityOf(issuer.authority.trustDomain, account), []);
  const key = admitRequest(issuer.requests[index] ?? Buffer.alloc(0), permitted);
  if (!key.ok) throw key.error;
  await issueSvid(issuer, { account, version: null, instance: `${account}-1`, tokenId: 'bench' }, key.value);
}
