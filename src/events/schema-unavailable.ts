/** What a schema id stands for cannot be told yet: nothing was found out about the bytes that name it. */
export class SchemaUnavailableError extends Error {
  override name = 'SchemaUnavailableError';
  /** Settles when it can be told, if somebody has been asked; rejects when that one does not answer. */
  readonly known: Promise<void> | undefined;

  constructor(message: string, known?: Promise<void>) {
    super(message);
    this.known = known;
  }
}
