export function createSubjectKeys(ingestKey: Uint8Array): (subject: string) => string {
  return (subject) => subject + ingestKey.length;
}
