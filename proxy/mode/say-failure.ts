// What an inbound proxy tells the caller's proxy, and nobody else: that its answer is a failure behind it, so
// that the caller may try another instance where that is harmless. The caller's proxy takes the fields out.
import type { MeshError } from '../../core/kit/error.ts';
import type { HeaderList } from '../kit/header-list.ts';

export function sayFailure(error: MeshError, headers: HeaderList): void {
  if (error.unprocessed) headers.add('x-weft-unprocessed', '1');
  else if (error.code === 'upstream-closed') headers.add('x-weft-upstream-closed', '1');
}
