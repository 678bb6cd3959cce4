import type { Schema } from 'avsc';

/** Which schema id stands for which schema. */
export interface SchemaIds {
  /** Id of the current schema of a record, by its Avro name (`CaptureBatch`). */
  idOf(record: string): number;
  /** The full schema with that id, of whatever version, or undefined when the id was never given out. */
  schemaOf(id: number): Schema | undefined;
}

/** Opens, or makes, the local registry file. */
export function openSchemaRegistry(_path: string): SchemaIds {
  throw new Error('not built yet');
}
