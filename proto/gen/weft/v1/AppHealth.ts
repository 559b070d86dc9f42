// Original file: weft/v1/discovery.proto

/**
 * Unspecified: not probed (an edge, a job), which counts as up.
 */
export const AppHealth = {
  APP_HEALTH_UNSPECIFIED: 'APP_HEALTH_UNSPECIFIED',
  APP_HEALTH_UP: 'APP_HEALTH_UP',
  APP_HEALTH_DOWN: 'APP_HEALTH_DOWN',
} as const;

/**
 * Unspecified: not probed (an edge, a job), which counts as up.
 */
export type AppHealth =
  | 'APP_HEALTH_UNSPECIFIED'
  | 0
  | 'APP_HEALTH_UP'
  | 1
  | 'APP_HEALTH_DOWN'
  | 2

/**
 * Unspecified: not probed (an edge, a job), which counts as up.
 */
export type AppHealth__Output = typeof AppHealth[keyof typeof AppHealth]
