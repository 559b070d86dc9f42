// Which addresses only this machine can reach: an outbound port anywhere else would let another host
// speak in this workload's name.
import { MeshError } from '../../core/kit/error.ts';
import type { HostPort } from '../../core/model/mesh.ts';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Throws MeshError `config-invalid` for an address that another host can reach. */
export function requireLoopback(name: string, address: HostPort): void {
  if (isLoopback(address.host)) return;
  throw new MeshError('config-invalid', {
    detail: `the outbound port of ${name} is on ${address.host}, where other hosts can reach it`,
    hint: 'use an address of 127.0.0.0/8 or ::1',
  });
}
