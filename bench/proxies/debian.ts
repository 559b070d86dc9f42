// nginx, HAProxy and Caddy as Debian ships them, on one core, with 100 prefix routes, keep-alive to the upstream
// and a request id; none of them makes trace headers by itself.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PeerSpec } from './edge.ts';

const ROUTES = Array.from({ length: 100 }, (_, i) => `/service-${i}/`);

export function isInstalled(command: string): boolean {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function nginxSpec(work: string, port: number, upstream: number): PeerSpec {
  const file = join(work, 'nginx.conf');
  const proxy =
    'proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Request-Id $request_id;';
  writeFileSync(
    file,
    `daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ${join(work, 'nginx.pid')}; error_log stderr error;
events { worker_connections 15000; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_max_body_size 0;
  client_body_temp_path ${work}; proxy_temp_path ${work}; fastcgi_temp_path ${work}; uwsgi_temp_path ${work}; scgi_temp_path ${work};
  upstream up { server 127.0.0.1:${upstream}; keepalive 512; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port}; ${ROUTES.map((path) => `location ${path} { ${proxy} }`).join('\n')} }
}
`,
  );
  return { name: 'nginx', port, jit: false, command: ['nginx', '-c', file] };
}

export function haproxySpec(work: string, port: number, upstream: number): PeerSpec {
  const file = join(work, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  no strict-limits
  maxconn 15000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 60s
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
${ROUTES.map((path) => `  use_backend up if { path_beg ${path} }`).join('\n')}
backend up
  server s 127.0.0.1:${upstream}
`,
  );
  return { name: 'haproxy', port, jit: false, command: ['haproxy', '-db', '-f', file] };
}

export function caddySpec(work: string, port: number, upstream: number): PeerSpec {
  const file = join(work, 'caddy.json');
  const handle = [
    {
      handler: 'reverse_proxy',
      upstreams: [{ dial: `127.0.0.1:${upstream}` }],
      headers: { request: { set: { 'X-Request-Id': ['{http.request.uuid}'] } } },
    },
  ];
  const routes = ROUTES.map((path) => ({ match: [{ path: [`${path}*`] }], handle, terminal: true }));
  const server = { listen: [`127.0.0.1:${port}`], automatic_https: { disable: true }, routes };
  writeFileSync(
    file,
    JSON.stringify({
      admin: { disabled: true },
      logging: { logs: { default: { level: 'ERROR' } } },
      apps: { http: { servers: { bench: server } } },
    }),
  );
  return { name: 'caddy', port, jit: false, command: ['caddy', 'run', '--config', file], env: { HOME: work } };
}
