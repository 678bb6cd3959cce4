/** Bytes, and how Avro writes them: https://avro.apache.org/docs/1.11.1/specification/#binary-encoding */
export type Bytes = Uint8Array<ArrayBuffer>;
export type Part = ArrayLike<number> | ArrayBuffer;

const encoder = new TextEncoder();
export const utf8 = (text: string): Bytes => encoder.encode(text);

/** Of each number the last 8 bits are taken. */
export const concat = (...parts: readonly Part[]): Bytes =>
  new Uint8Array(parts.flatMap((part) => [...new Uint8Array(part)]));

/** Little-endian base 128, the high bit for "more follows"; up to 53 bits, more than what bit operators take. */
export function varint(out: number[], value: number): void {
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
  out.push(rest);
}

/** A signed number of up to 52 bits. */
export const zigzag = (out: number[], value: number): void => varint(out, value < 0 ? -value * 2 - 1 : value * 2);

/** No more than a batch: a call takes 65,536 arguments everywhere. */
export const bytes = (out: number[], value: readonly number[] | Bytes): void => {
  zigzag(out, value.length);
  out.push(...value);
};

export const text = (out: number[], value: string): void => bytes(out, utf8(value));

/** A number as so many bytes, the highest first, for `concat`: of each the last 8 bits are the byte. */
export const bigEndian = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, i) => value / 256 ** (size - 1 - i));
