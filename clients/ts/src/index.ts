/** Everything that belongs to no single program. The programs have an entry each, such as `@imo/client/model-token`. */

export * from './addresses.js';
export { fromHex, sha256, toHex, type Hash } from './bytes.js';
export * from './completion.js';
export * from './decoder.js';
export * from './errors.js';
export * from './events.js';
export * from './gateway.js';
export * from './lanes.js';
export * from './merkle.js';
export * from './messages.js';
export * from './payer.js';
export * from './purse.js';
export * from './storage.js';
export * from './transactions.js';
export * from './verifier.js';
