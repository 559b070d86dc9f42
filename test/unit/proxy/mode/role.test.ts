import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeError } from '../../../../core/kit/error.ts';
import { requireRole } from '../../../../proxy/mode/role.ts';

test('a certificate serves only the program that it is for', () => {
  requireRole('edge', 'edge-main');
  requireRole('sidecar', 'orders');
  const said = (role: 'edge' | 'sidecar', account: string): string => {
    try {
      requireRole(role, account);
    } catch (error) {
      return describeError(error);
    }
    return '';
  };
  assert.match(said('edge', 'orders'), /the service "orders", and this is an edge .*--edge NAME.*weft sidecar/);
  assert.match(said('sidecar', 'edge-main'), /the edge "main", and this is a sidecar .*--service NAME.*weft edge/);
});
