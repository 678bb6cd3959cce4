/** Modules inside kafkajs that have no types; internals.ts checks their shape and gives them types. */
declare module 'kafkajs/src/*' {
  const untyped: unknown;
  export default untyped;
}
