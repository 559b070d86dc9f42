// The ways of docs/names.md by which an app reaches the mesh, with curl, grpc-js and bytes, on two machines of network
// namespaces. One mesh for all of them: each test leaves the rules as it found them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { APP } from './namespace.ts';
import { FAR, FAR6, NEAR, PEER, rulesOf, twoMachines } from './two-machines.ts';

test('an app reaches the mesh', async (t) => {
  const mesh = await twoMachines(t);
  const said = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await mesh.curl(...args);
    return `${stdout}${stderr}`.trim();
  };

  const HELLO = /^hello via 1\.1 web-out, /;

  await t.test('by plain name', async () => {
    assert.match(await said('http://hello:4400/'), HELLO);
    assert.equal(await mesh.peer('grpc', 'greeter:4401'), 'greeter got ping');
    assert.equal(await mesh.peer('tcp', 'line', '4402'), 'line got ping');
  });

  await t.test('by a variable of weft run', async () => {
    assert.match(await mesh.runJob('sh', '-c', 'curl -sS "$HELLO_URL"'), /^hello via 1\.1 job-out, /);
    assert.equal(await mesh.runJob('sh', '-c', `exec ${PEER} grpc $GREETER_ADDRESS`), 'greeter got ping');
    const place = '${LINE_ADDRESS%:*} ${LINE_ADDRESS#*:}';
    assert.equal(await mesh.runJob('sh', '-c', `exec ${PEER} tcp ${place}`), 'line got ping');
  });

  await t.test('by Host or :authority on one port', async () => {
    assert.match(await said('-H', 'Host: hello', 'http://127.0.0.1:15001/'), HELLO);
    assert.match(
      await said('--http2-prior-knowledge', '-H', 'Host: hello', 'http://127.0.0.1:15001/'),
      /^hello via 2 web-out, /,
    );
    assert.equal(await mesh.peer('grpc', '127.0.0.1:15001', 'greeter'), 'greeter got ping');
    assert.match(await said('-H', 'Host: elsewhere', 'http://127.0.0.1:15001/'), /egress-denied/);
  });

  await t.test('by HTTP_PROXY, with requests and with tunnels', async () => {
    const proxy = ['-x', 'http://127.0.0.1:15001'];
    assert.match(await said(...proxy, 'http://hello:4400/'), HELLO);
    assert.match(await said(...proxy, 'http://hello/'), HELLO);
    assert.match(await said(...proxy, '--proxytunnel', 'http://hello:4400/'), HELLO);
    // As an address of an instance, from a config that knows no names.
    assert.match(await said(...proxy, `http://${FAR}:4400/`), HELLO);
    assert.equal(
      await mesh.peerWith({ http_proxy: 'http://127.0.0.1:15001' }, 'grpc', 'greeter:4401'),
      'greeter got ping',
    );
    assert.equal(await mesh.peer('connect', '15001', 'line:4402'), 'line got ping');
    assert.equal(await mesh.peer('connect', '15001', 'line:4400'), 'status 403');
  });

  await t.test('by HTTP_PROXY nothing but callees: neither this machine nor the rest of the world', async () => {
    const proxy = ['-x', 'http://127.0.0.1:15001'];
    for (const host of [
      `${FAR}:4600`,
      '127.0.0.1:8080',
      'localhost:15020',
      '[::1]:8080',
      '2130706433:8080',
      'example.com',
    ]) {
      assert.match(await said(...proxy, `http://${host}/`), /"code":"egress-denied".*NO_PROXY/, host);
      assert.match(
        await said(...proxy, '--proxytunnel', `http://${host}/`),
        /CONNECT tunnel failed, response 403/,
        host,
      );
    }
  });

  for (const backend of ['iptables', 'nftables'] as const) {
    const netns = (...args: readonly string[]): Promise<string> => mesh.weft('netns', '--backend', backend, ...args);

    await t.test(`by plain name on a port of the app itself, redirected by ${backend}`, async () => {
      const before = await rulesOf(mesh);
      assert.match(before, /192\.0\.2\.1/);
      // The app has this port on every address of the machine.
      assert.match(await said('http://same:8080/'), /^web via nobody/);
      assert.match(await netns('--app-port', '8080'), new RegExp(`^rules set by ${backend}: guards 8080`));
      assert.match(await said('http://same:8080/'), /^same via 1\.1 web-out, .* for same:8080$/);
      assert.equal(await mesh.peer('grpc', 'samegrpc:8080'), 'samegrpc got ping');
      assert.equal(await mesh.peer('tcp', 'sametcp', '8080'), 'sametcp got ping');
      assert.match(await said('http://127.0.0.1:8080/'), /^web via nobody/);
      const once = await rulesOf(mesh);
      await netns('--app-port', '8080');
      assert.equal(await rulesOf(mesh), once);
      await mesh.weft('netns', '--remove');
      assert.equal(await rulesOf(mesh), before);
      assert.match(await said('http://same:8080/'), /^web via nobody/);
    });

    await t.test(`the app's port is closed to other machines, by ${backend}`, async () => {
      const from = (host: string) =>
        mesh.far.run(APP, ['curl', '-sS', '--connect-timeout', '1', `http://${host}:8080/`]);
      assert.match((await from(NEAR)).stdout, /^web/);
      await netns('--app-port', '8080');
      assert.equal((await from(NEAR)).code, 28);
      await mesh.weft('netns', '--remove');
      assert.match((await from(NEAR)).stdout, /^web/);
    });

    await t.test(`by an instance's own address, redirected by ${backend}`, async () => {
      const before = await rulesOf(mesh);
      const outside = [`http://${FAR}:4500/`, `http://[${FAR6}]:4500/`];
      const direct = /^outside via nobody/;
      for (const url of outside) assert.match(await said('-g', url), direct, url);
      assert.match(await said(`http://${FAR}:4400/`), /refused|connect/i);
      await netns('--transparent', mesh.admin);
      const once = await rulesOf(mesh);
      assert.match(await said(`http://${FAR}:4400/`), HELLO);
      for (const url of outside) assert.match(await said('-g', url), /^outside via 1\.1 web-out for/, url);
      assert.equal(await mesh.peer('grpc', `${FAR}:4401`), 'greeter got ping');
      assert.equal(await mesh.peer('tcp', FAR, '4402'), 'line got ping');
      // What no view knows is none of the mesh's.
      assert.match(await said(`http://${FAR}:4600/`), /^elsewhere via nobody/);
      await netns('--transparent', mesh.admin);
      assert.equal(await rulesOf(mesh), once);

      await netns('--transparent', mesh.admin, '--deny-egress');
      assert.match(await said(`http://${FAR}:4400/`), HELLO);
      assert.match(await said('-g', `http://[${FAR6}]:4500/`), /^outside via 1\.1 web-out for/);
      assert.match(await said('http://hello:4400/'), HELLO);
      for (const host of [FAR, `[${FAR6}]`]) assert.equal((await mesh.curl('-g', `http://${host}:4600/`)).code, 7);
      await mesh.weft('netns', '--remove');
      assert.equal(await rulesOf(mesh), before);
      assert.match(await said(`http://${FAR}:4600/`), /^elsewhere via nobody/);
    });
  }

  await t.test('by the addresses of instances that come and go, where weft netns follows the sidecar', async () => {
    const before = await rulesOf(mesh);
    const follower = mesh.startWeft('netns', '--transparent', mesh.admin, '--follow', '--app-port', '8080');
    await eventually(() => /redirects [1-9]/.test(follower.output()));
    assert.match(await said(`http://${FAR}:4500/`), /^outside via 1\.1 web-out for/);
    // The service moves; its old place is none of the mesh's any more.
    mesh.configure((text) => text.replaceAll(':4500', ':4600'));
    await eventually(async () => (await said(`http://${FAR}:4500/`)).startsWith('outside via nobody'));
    assert.match(await said(`http://${FAR}:4600/`), /^elsewhere via 1\.1 web-out for/);
    mesh.configure((text) => text.replaceAll(':4600', ':4500'));
    await eventually(async () => (await said(`http://${FAR}:4600/`)).startsWith('elsewhere via nobody'));
    follower.child.kill('SIGTERM');
    await eventually(() => follower.child.exitCode === 0);
    assert.match(await rulesOf(mesh), /WEFT_OUTPUT/);
    await mesh.weft('netns', '--remove');
    assert.equal(await rulesOf(mesh), before);
  });

  await t.test('rules of one program take the place of those of the other', async () => {
    const before = await rulesOf(mesh);
    await mesh.weft('netns', '--backend', 'nftables', '--app-port', '8080');
    const nft = await rulesOf(mesh);
    await mesh.weft('netns', '--app-port', '8080');
    assert.match(await said('http://same:8080/'), /^same via/);
    assert.doesNotMatch(await rulesOf(mesh), /table inet weft/);
    await mesh.weft('netns', '--backend', 'nftables', '--app-port', '8080');
    assert.equal(await rulesOf(mesh), nft);
    await mesh.weft('netns', '--remove');
    assert.equal(await rulesOf(mesh), before);
  });
});
