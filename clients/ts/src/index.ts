/** Everything that belongs to no single program. The programs have an entry each, such as `@imo/client/model-token`. */

export * from './addresses.js';
export * from './events.js';
