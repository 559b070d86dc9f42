import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyText,
  checkArguments,
  HOOKS,
  removeText,
  type Hook,
} from '../../../../../control-plane/cli/netns/iptables.ts';
import type { NetnsPlan } from '../../../../../control-plane/cli/netns/plan.ts';

const PLAN: NetnsPlan = {
  appPorts: [8080, 9090, 8080],
  redirects: [{ from: { host: '127.15.3.7', port: 8080 }, to: { host: '127.0.0.1', port: 15_001 } }],
};
const NONE: NetnsPlan = { appPorts: [], redirects: [] };
const fresh = new Set<Hook>();

test('a fresh namespace gets chains of Weft’s own, called first, and each port once', () => {
  assert.equal(
    applyText('iptables', PLAN, fresh),
    `*filter
:WEFT_INPUT - [0:0]
-I INPUT 1 -j WEFT_INPUT
-A WEFT_INPUT ! -i lo -p tcp -m tcp --dport 8080 -j DROP
-A WEFT_INPUT ! -i lo -p tcp -m tcp --dport 9090 -j DROP
COMMIT
*nat
:WEFT_OUTPUT - [0:0]
-I OUTPUT 1 -j WEFT_OUTPUT
-A WEFT_OUTPUT -d 127.15.3.7/32 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 127.0.0.1:15001
-A WEFT_OUTPUT -d 127.15.0.0/16 -p tcp -m tcp --dport 8080 -j DNAT --to-destination :40848
-A WEFT_OUTPUT -d 127.15.0.0/16 -p tcp -m tcp --dport 9090 -j DNAT --to-destination :41858
COMMIT
`,
  );
});

test('IPv6 guards the same ports and redirects nothing: names have IPv4 addresses', () => {
  const text = applyText('ip6tables', PLAN, fresh);
  assert.match(text, /--dport 8080 -j DROP\n.*--dport 9090 -j DROP\nCOMMIT\n$/);
  assert.doesNotMatch(text, /nat|DNAT/);
});

test('a second run fills the chains again and adds no second jump', () => {
  const text = applyText('iptables', PLAN, new Set(HOOKS));
  assert.doesNotMatch(text, /-I (INPUT|OUTPUT)/);
  assert.match(text, /^:WEFT_INPUT - \[0:0\]$/m);
});

test('what has no rules any more is emptied where it was, and else left alone', () => {
  assert.equal(applyText('iptables', NONE, fresh), '');
  const [guard] = HOOKS;
  assert.ok(guard);
  assert.equal(applyText('iptables', NONE, new Set([guard])), '*filter\n:WEFT_INPUT - [0:0]\nCOMMIT\n');
  assert.doesNotMatch(applyText('iptables', { ...NONE, sealed: ['172.20.0.3'] }, fresh), /nat/);
});

test('removing takes jump and chain of what is there, and does nothing where there is nothing', () => {
  assert.equal(removeText(fresh), '');
  assert.equal(
    removeText(new Set(HOOKS)),
    `*filter
:WEFT_INPUT - [0:0]
:WEFT_EGRESS - [0:0]
-D INPUT -j WEFT_INPUT
-X WEFT_INPUT
-D OUTPUT -j WEFT_EGRESS
-X WEFT_EGRESS
COMMIT
*nat
:WEFT_OUTPUT - [0:0]
-D OUTPUT -j WEFT_OUTPUT
-X WEFT_OUTPUT
COMMIT
`,
  );
});

test('asks for the jump by table and chain, and waits for the lock', () => {
  const names = HOOKS.find(({ table }) => table === 'nat');
  assert.ok(names);
  assert.deepEqual(checkArguments(names), ['-w', '-t', 'nat', '-C', 'OUTPUT', '-j', 'WEFT_OUTPUT']);
});

test('at a sealed address nothing but the sidecar is reached; what the app began itself goes on', () => {
  const plan = { ...NONE, sealed: ['172.20.0.3', '172.20.0.3'] };
  assert.equal(
    applyText('iptables', plan, fresh),
    `*filter
:WEFT_INPUT - [0:0]
-I INPUT 1 -j WEFT_INPUT
-A WEFT_INPUT -d 172.20.0.3/32 -p tcp -m tcp --dport 15006 -j RETURN
-A WEFT_INPUT -d 172.20.0.3/32 -p tcp -m tcp --dport 15020 -j RETURN
-A WEFT_INPUT -d 172.20.0.3/32 ! -i lo -p tcp -m tcp --syn -j DROP
-A WEFT_INPUT -d 172.20.0.3/32 ! -i lo -p udp -j DROP
COMMIT
`,
  );
  assert.equal(applyText('ip6tables', plan, fresh), '');
});

const INSTANCES: NetnsPlan = {
  ...NONE,
  redirects: [
    { from: { host: '10.0.0.9', port: 5432 }, to: { host: '127.15.3.7', port: 5432 } },
    { from: { host: 'fd00::9', port: 5432 }, to: { host: '::1', port: 20_001 } },
  ],
};

test('calls of an instance by its own address are redirected in its family, but for the sidecar’s own', () => {
  assert.equal(
    applyText('iptables', INSTANCES, fresh),
    `*nat
:WEFT_OUTPUT - [0:0]
-I OUTPUT 1 -j WEFT_OUTPUT
-A WEFT_OUTPUT -m owner --uid-owner 15001 -j RETURN
-A WEFT_OUTPUT -d 10.0.0.9/32 -p tcp -m tcp --dport 5432 -j DNAT --to-destination 127.15.3.7:5432
COMMIT
`,
  );
  assert.equal(
    applyText('ip6tables', { ...INSTANCES, proxyUser: 7 }, fresh),
    `*nat
:WEFT_OUTPUT - [0:0]
-I OUTPUT 1 -j WEFT_OUTPUT
-A WEFT_OUTPUT -m owner --uid-owner 7 -j RETURN
-A WEFT_OUTPUT -d fd00::9/128 -p tcp -m tcp --dport 5432 -j DNAT --to-destination [::1]:20001
COMMIT
`,
  );
});

test('without egress nothing leaves but for the sidecar, this machine and DNS', () => {
  assert.equal(
    applyText('ip6tables', { ...NONE, denyEgress: true }, fresh),
    `*filter
:WEFT_EGRESS - [0:0]
-I OUTPUT 1 -j WEFT_EGRESS
-A WEFT_EGRESS -m owner --uid-owner 15001 -j RETURN
-A WEFT_EGRESS -d ::1/128 -j RETURN
-A WEFT_EGRESS -m addrtype --dst-type LOCAL -j RETURN
-A WEFT_EGRESS -p udp -m udp --dport 53 -j RETURN
-A WEFT_EGRESS -p tcp -m tcp --dport 53 -j RETURN
-A WEFT_EGRESS -p tcp -m tcp --syn -j REJECT --reject-with tcp-reset
-A WEFT_EGRESS -p udp -m conntrack --ctstate NEW -j REJECT
COMMIT
`,
  );
});
