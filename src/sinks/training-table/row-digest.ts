import { createHash } from 'node:crypto';
import { COLUMNS, type TableRow } from '../columns.ts';

/** A digest of rows in whatever order; see `tableDigest`. */
export interface RowDigest {
  add(row: TableRow): void;
  /** Adds all rows of another. */
  merge(other: RowDigest): void;
  /** Of the rows added so far, in hexadecimal digits. */
  result(): { readonly rows: number; readonly digest: string };
}

export function createRowDigest(): RowDigest {
  let [rows, sum] = [0, 0n];
  return {
    add(row) {
      const canonical = JSON.stringify(COLUMNS.map(({ name }) => row[name]));
      sum += BigInt(`0x${createHash('sha256').update(canonical).digest('hex')}`);
      rows++;
    },
    merge(other) {
      const { rows: more, digest } = other.result();
      rows += more;
      sum += BigInt(`0x${digest}`);
    },
    result: () => ({ rows, digest: BigInt.asUintN(256, sum).toString(16).padStart(64, '0') }),
  };
}
