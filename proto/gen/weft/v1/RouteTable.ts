// Original file: weft/v1/resources.proto

import type { Route as _weft_v1_Route, Route__Output as _weft_v1_Route__Output } from '../../weft/v1/Route.ts';

export interface RouteTable {
  'name'?: (string);
  'routes'?: (_weft_v1_Route)[];
}

export interface RouteTable__Output {
  'name': (string);
  'routes': (_weft_v1_Route__Output)[];
}
