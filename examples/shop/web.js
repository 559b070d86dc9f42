// The front: products and their search, and a page that joins what users and orders know.
import { serve } from './shop.js';

const products = [
  { sku: 'a', name: 'Red wool', price: 10 },
  { sku: 'b', name: 'Blue wool', price: 10 },
  { sku: 'c', name: 'Loom', price: 250 },
];

serve('web', 3000, {
  'GET /': async () => [200, { shop: 'weft', try: ['/api/products?q=wool', '/api/users/42', '/api/orders'] }],
  'GET /products': async ({ query }) => {
    const wanted = (query.get('q') ?? '').toLowerCase();
    return [200, { products: products.filter(({ name }) => name.toLowerCase().includes(wanted)) }];
  },
  'GET /home/:user': async ({ params, call }) => {
    const [user, orders] = await Promise.all([
      call('users', 8080, 'GET', `/users/${params.user}`),
      call('orders', 8080, 'GET', '/orders'),
    ]);
    return [user.status, { user: user.value.user, orders: orders.value.orders }];
  },
});
