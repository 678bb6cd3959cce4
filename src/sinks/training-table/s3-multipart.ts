import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { SinkStorageError } from '../sink.ts';

/** A file to be put, with what tells that an object is of this very put. */
export interface S3Put {
  readonly at: { readonly Bucket: string; readonly Key: string };
  readonly data: Uint8Array;
  readonly metadata: Record<string, string>;
  /** Only if there is none; else the put ends with status 412. */
  readonly ifAbsent: boolean;
}

/** Runs one request with the store's patience. */
export type Request = <T>(attempt: () => Promise<T>) => Promise<T>;

const PART_BYTES = 8 * 2 ** 20;
const PARTS_AT_ONCE = 4;

/**
 * Puts a file in parts. Each request is tried again by itself, so that an outage costs no more than the parts that it met;
 * the SDK's own `Upload` would start from the first part, and leave the parts behind when it cannot abort at once.
 *
 * After a failure of any kind the upload is aborted: a part that stays is invisible, and paid for.
 */
export async function putInParts(client: S3Client, put: S3Put, request: Request): Promise<void> {
  const { at, data, metadata } = put;
  const create = new CreateMultipartUploadCommand({ ...at, Metadata: metadata, ChecksumAlgorithm: 'CRC32' });
  const { UploadId } = await request(() => client.send(create));
  if (UploadId === undefined) throw new Error('S3 gave no upload id');
  try {
    const MultipartUpload = { Parts: await uploadParts(client, { ...at, UploadId }, data, request) };
    const condition = put.ifAbsent ? { IfNoneMatch: '*' } : {};
    const complete = new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload, ...condition });
    await request(() => client.send(complete));
  } catch (error) {
    // A server that has been waited for in vain gets one request more, and no more waiting.
    const once: Request = (attempt) => attempt();
    await abort(client, { ...at, UploadId }, error instanceof SinkStorageError ? once : request);
    throw error;
  }
}

interface UploadAt {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string;
}

async function uploadParts(client: S3Client, at: UploadAt, data: Uint8Array, request: Request) {
  const parts: CompletedPart[] = [];
  const count = Math.ceil(data.byteLength / PART_BYTES);
  let next = 0;
  const upload = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const PartNumber = i + 1;
      const Body = data.subarray(i * PART_BYTES, PartNumber * PART_BYTES);
      const command = { ...at, PartNumber, Body, ChecksumAlgorithm: 'CRC32' as const };
      const { ETag, ChecksumCRC32 } = await request(() => client.send(new UploadPartCommand(command)));
      parts[i] = { PartNumber, ETag, ChecksumCRC32 };
    }
  };
  // All come to their end before the first failure is told: an abort meets no part that is still under way.
  const ends = await Promise.allSettled(
    Array.from({ length: PARTS_AT_ONCE }, async () => {
      try {
        await upload();
      } catch (error) {
        next = count;
        throw error;
      }
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return parts;
}

async function abort(client: S3Client, at: UploadAt, request: Request): Promise<void> {
  try {
    await request(() => client.send(new AbortMultipartUploadCommand(at)));
  } catch {
    // Gone already, or not to be reached: it is the put's failure that counts, and a lifecycle rule clears what is left.
  }
}
