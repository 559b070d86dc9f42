// Payments. Takes every charge; whoever should not charge must not get here.
import { randomUUID } from 'node:crypto';
import { serve } from './shop.js';

serve('payments', 8082, {
  'POST /charge': async ({ body }) => {
    if (!(body.amount > 0)) return [400, { error: 'amount must be above 0' }];
    return [200, { payment: { id: randomUUID(), amount: body.amount } }];
  },
});
