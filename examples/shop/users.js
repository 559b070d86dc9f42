// Users. It also has a way to call payments, which the mesh denies: only orders may charge.
import { serve } from './shop.js';

const users = new Map([
  ['1', { id: '1', name: 'Grace' }],
  ['42', { id: '42', name: 'Ada' }],
]);

serve('users', 8080, {
  'GET /users': async () => [200, { users: [...users.values()] }],
  'GET /users/:id': async ({ params }) => {
    const user = users.get(params.id);
    return user === undefined ? [404, { error: 'no such user' }] : [200, { user }];
  },
  'GET /users/:id/charge': async ({ call }) => {
    const charge = await call('payments', 8082, 'POST', '/charge', { amount: 1 });
    return [charge.status, { said: charge.value }];
  },
});
