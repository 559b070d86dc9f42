// A certificate says whether its holder is a service or an edge; the other program would run with it and serve nothing.
import { edgeOf } from '../../certs/policy/names.ts';
import { MeshError } from '../../core/kit/error.ts';

/** Throws MeshError `token-invalid` where the account is not for this program. */
export function requireRole(role: 'edge' | 'sidecar', account: string): void {
  const edge = edgeOf(account);
  if (role === 'edge' ? edge !== null : edge === null) return;
  throw role === 'edge'
    ? new MeshError('token-invalid', {
        detail: `it is for the service "${account}", and this is an edge`,
        hint: 'make one with `weft token create --edge NAME`, or run `weft sidecar`; another --name keeps its own state',
      })
    : new MeshError('token-invalid', {
        detail: `it is for the edge "${edge}", and this is a sidecar`,
        hint: 'make one with `weft token create --service NAME`, or run `weft edge`; another --name keeps its own state',
      });
}
