// Orders. Placing one charges the customer at payments.
import { randomUUID } from 'node:crypto';
import { serve } from './shop.js';

const orders = new Map();

serve('orders', 8080, {
  'POST /orders': async ({ body, call }) => {
    const items = body.items;
    if (!Array.isArray(items) || items.length === 0 || !items.every(({ sku, qty }) => sku && qty > 0)) {
      return [400, { error: 'items must be a list of { sku, qty }' }];
    }
    const amount = items.reduce((sum, { qty }) => sum + qty * 10, 0);
    const charge = await call('payments', 8082, 'POST', '/charge', { amount });
    if (charge.status !== 200) return [502, { error: `payment failed with ${charge.status}` }];
    const order = { id: randomUUID(), items, amount, payment: charge.value.payment };
    orders.set(order.id, order);
    return [201, { order }];
  },
  'GET /orders': async () => [200, { orders: [...orders.values()] }],
  'GET /orders/:id': async ({ params }) => {
    const order = orders.get(params.id);
    return order === undefined ? [404, { error: 'no such order' }] : [200, { order }];
  },
});
