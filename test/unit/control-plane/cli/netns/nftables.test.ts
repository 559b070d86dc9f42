import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REMOVE, tableText } from '../../../../../control-plane/cli/netns/nftables.ts';

test('one table with all there is, in the place of the one before', () => {
  const text = tableText({
    appPorts: [8080, 9090, 8080],
    sealed: ['172.20.0.3'],
    denyEgress: true,
    redirects: [
      { from: { host: '127.15.3.7', port: 8080 }, to: { host: '127.0.0.1', port: 15_001 } },
      { from: { host: '10.0.0.9', port: 5432 }, to: { host: '127.15.3.7', port: 5432 } },
      { from: { host: '10.0.0.9', port: 5432 }, to: { host: '127.15.3.8', port: 5432 } },
      { from: { host: 'fd00::9', port: 5432 }, to: { host: '::1', port: 20_001 } },
    ],
  });
  assert.equal(
    text,
    `${REMOVE}table inet weft {
  chain input_guard {
    type filter hook input priority filter - 10; policy accept;
    iifname != "lo" tcp dport { 8080, 9090 } drop
    ip daddr { 172.20.0.3 } tcp dport { 15006, 15020 } return
    ip daddr { 172.20.0.3 } iifname != "lo" tcp flags & (fin | syn | rst | ack) == syn drop
    ip daddr { 172.20.0.3 } iifname != "lo" meta l4proto udp drop
  }
  chain output_names {
    type nat hook output priority -100; policy accept;
    dnat ip to ip daddr . tcp dport map { 127.15.3.7 . 8080 : 127.0.0.1 . 15001 }
    ip daddr 127.15.0.0/16 tcp dport 8080 dnat to :40848
    ip daddr 127.15.0.0/16 tcp dport 9090 dnat to :41858
    meta skuid 15001 return
    dnat ip to ip daddr . tcp dport map { 10.0.0.9 . 5432 : 127.15.3.7 . 5432 }
    dnat ip6 to ip6 daddr . tcp dport map { fd00::9 . 5432 : ::1 . 20001 }
  }
  chain output_egress {
    type filter hook output priority filter; policy accept;
    meta skuid 15001 return
    fib daddr type local return
    meta l4proto { tcp, udp } th dport 53 return
    tcp flags & (fin | syn | rst | ack) == syn reject with tcp reset
    meta l4proto udp ct state new reject
  }
}
`,
  );
});

test('chains without rules are not there', () => {
  assert.equal(tableText({ appPorts: [], redirects: [] }), `${REMOVE}table inet weft {\n}\n`);
});
