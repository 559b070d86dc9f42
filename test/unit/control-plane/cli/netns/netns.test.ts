import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyRules, printRules, removeRules, type NetnsSystem } from '../../../../../control-plane/cli/netns/netns.ts';
import type { NetnsPlan } from '../../../../../control-plane/cli/netns/plan.ts';

const PLAN: NetnsPlan = { appPorts: [8080], redirects: [] };

/** Answers `-C` by `called`; a restore fails with `fault`. */
function fakeSystem(
  options: { called?: boolean; fault?: string; programs?: readonly string[]; ipv6?: boolean; blind?: string } = {},
) {
  const { programs = ['iptables'] } = options;
  const restored: { program: string; text: string }[] = [];
  const host: NetnsSystem = {
    execute: async (program, args, input) => {
      if (!programs.some((each) => program.replace('6', '').startsWith(each)))
        throw Object.assign(new Error('spawn ENOENT'), { code: 'ENOENT' });
      if (args.includes('--version')) return { code: 0, stderr: '' };
      if (args.includes('-C') || args.includes('list')) {
        return { code: options.called ? 0 : 1, stderr: options.blind ?? 'No chain/target/match by that name.' };
      }
      restored.push({ program, text: input });
      return options.fault === undefined ? { code: 0, stderr: '' } : { code: 4, stderr: options.fault };
    },
    hasIpv6: async () => options.ipv6 ?? true,
  };
  return { host, restored };
}

test('the rules go to both programs, in one step each', async () => {
  const { host, restored } = fakeSystem();
  await applyRules(PLAN, host);
  assert.deepEqual(
    restored.map(({ program }) => program),
    ['iptables-restore', 'ip6tables-restore'],
  );
  for (const { text } of restored) assert.match(text, /-I INPUT 1 -j WEFT_INPUT\n-A WEFT_INPUT ! -i lo/);
});

test('a kernel without IPv6 has nothing to guard there', async () => {
  const { host, restored } = fakeSystem({ ipv6: false });
  await applyRules(PLAN, host);
  assert.deepEqual(
    restored.map(({ program }) => program),
    ['iptables-restore'],
  );
});

test('removing where nothing is runs nothing', async () => {
  const { host, restored } = fakeSystem();
  await removeRules(host);
  assert.deepEqual(restored, []);
  const there = fakeSystem({ called: true });
  await removeRules(there.host);
  assert.equal(there.restored.length, 2);
});

test('without iptables, and without the right to change rules, there is one clear line', async () => {
  await assert.rejects(applyRules(PLAN, fakeSystem({ programs: [] }).host), {
    code: 'netns-refused',
    detail: 'there is neither iptables nor nft here',
    hint: "use the image's target netns, or install iptables or nftables",
  });
  const said = 'iptables-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied';
  await assert.rejects(applyRules(PLAN, fakeSystem({ fault: `${said} (you must be root)\n` }).host), {
    code: 'netns-refused',
    detail: `${said} (you must be root)`,
    hint: 'it has to run as root with NET_ADMIN: `user: root`, `cap_add: [NET_ADMIN]`',
  });
  await assert.rejects(applyRules(PLAN, fakeSystem({ fault: 'line 3 failed\nmore' }).host), {
    detail: 'iptables-restore: line 3 failed',
    hint: '',
  });
});

test('printing names the program that each part is for', () => {
  const text = printRules(PLAN);
  assert.match(text, /^# iptables-restore --noflush\n\*filter\n[\s\S]*# ip6tables-restore --noflush\n\*filter\n/);
});

test('nftables is taken where it alone is installed, or asked for; what the other had set goes', async () => {
  const alone = fakeSystem({ programs: ['nft'] });
  assert.equal(await applyRules(PLAN, alone.host), 'nftables');
  assert.deepEqual(
    alone.restored.map(({ program }) => program),
    ['nft'],
  );
  const both = fakeSystem({ programs: ['iptables', 'nft'], called: true });
  assert.equal(await applyRules(PLAN, both.host, 'nftables'), 'nftables');
  assert.deepEqual(
    both.restored.map(({ program }) => program),
    ['nft', 'iptables-restore', 'ip6tables-restore'],
  );
  assert.match(both.restored[1]?.text ?? '', /-X WEFT_INPUT/);
  const first = fakeSystem({ programs: ['iptables', 'nft'], called: true });
  assert.equal(await applyRules(PLAN, first.host), 'iptables');
  assert.equal(first.restored.at(-1)?.text, 'table inet weft\ndelete table inet weft\n');
  await assert.rejects(applyRules(PLAN, fakeSystem().host, 'nftables'), { detail: 'there is no nft here' });
});

test('who may not look is not told that rules are gone', async () => {
  for (const [program, blind] of [
    [
      'iptables',
      'iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)',
    ],
    ['nft', 'netlink: Error: cache initialization failed: Operation not permitted'],
  ] as const) {
    const { host, restored } = fakeSystem({ programs: [program], blind });
    await assert.rejects(removeRules(host), { code: 'netns-refused', hint: /NET_ADMIN/ });
    assert.deepEqual(restored, []);
  }
});
