/** From a body as it was sent to a payload, packed or sealed. Whatever is sent, the work is bounded by the limits. */
import { gunzip } from 'node:zlib';
import { CodecError, type Codec } from '../../events/codec.ts';
import type { CapturePayload, Seal } from '../../events/raw.ts';
import { SEAL_KEY_BYTES } from '../../events/raw.ts';
import { ZstdError, type Zstd } from '../../events/zstd.ts';
import { parseJson } from './json.ts';
import { CAPTURE_TYPE, JSON_TYPE, jsonBatch, SEALED_TYPE, type Refused } from './protocol.ts';

export interface Body {
  /** Media type without parameters, in lower case. */
  readonly type: string;
  readonly encoding: string | undefined;
  readonly bytes: Uint8Array;
}

export type Batch =
  | {
      readonly kind: 'open';
      readonly subject: string;
      readonly device: string;
      readonly events: number;
      readonly packed: Uint8Array;
    }
  | { readonly kind: 'sealed'; readonly payload: Uint8Array; readonly seal: Seal };

export interface BodyTools {
  readonly codec: Pick<Codec, 'packPayload' | 'openPayload'>;
  readonly zstd: Zstd;
  readonly maxPayloadBytes: number;
  readonly maxEvents: number;
  readonly maxContexts: number;
  readonly maxElements: number;
}

const BAD: Refused = { refused: 'bad_batch' };
const TOO_LARGE: Refused = { refused: 'too_large' };

export async function readBatch(body: Body, tools: BodyTools): Promise<Batch | Refused> {
  const unpacked = await unpack(body, tools);
  if ('refused' in unpacked) return unpacked;
  switch (body.type) {
    case JSON_TYPE:
      return readJson(unpacked.bytes, tools);
    case CAPTURE_TYPE:
      return readCapture(unpacked.bytes, tools);
    case SEALED_TYPE:
      return readSealed(unpacked.bytes);
    default:
      return { refused: 'unsupported_type' };
  }
}

async function unpack(
  { encoding = 'identity', bytes }: Body,
  { zstd, maxPayloadBytes }: BodyTools,
): Promise<{ readonly bytes: Uint8Array } | Refused> {
  switch (encoding.toLowerCase()) {
    case 'identity':
      return { bytes };
    case 'gzip':
      return gunzipWithin(bytes, maxPayloadBytes);
    case 'zstd':
      return unzstd(bytes, maxPayloadBytes, zstd);
    default:
      return { refused: 'unsupported_encoding' };
  }
}

function gunzipWithin(bytes: Uint8Array, maxOutputLength: number): Promise<{ readonly bytes: Uint8Array } | Refused> {
  return new Promise((done) => {
    // It stops at the limit: what would come after is never unpacked.
    gunzip(bytes, { maxOutputLength }, (error, result) => {
      if (error === null) return done({ bytes: result });
      done('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE' ? TOO_LARGE : BAD);
    });
  });
}

function unzstd(bytes: Uint8Array, maxBytes: number, zstd: Zstd): { readonly bytes: Uint8Array } | Refused {
  try {
    return { bytes: zstd.decompress(bytes, maxBytes) };
  } catch (error) {
    if (error instanceof ZstdError) return error.tooLarge ? TOO_LARGE : BAD;
    throw error;
  }
}

function readJson(bytes: Uint8Array, tools: BodyTools): Batch | Refused {
  // An element may have bounds; the batch itself, and its lists.
  const maxStructures = tools.maxEvents + tools.maxContexts + 2 * tools.maxElements + 4;
  const json = parseJson(bytes, maxStructures);
  if (json === 'too_many_structures') return { refused: 'too_many_events' };
  if (json === 'bad_json') return BAD;
  const parsed = jsonBatch.safeParse(json.value);
  if (!parsed.success) return BAD;
  const payload: CapturePayload = parsed.data;
  if (payload.events.length > tools.maxEvents) return { refused: 'too_many_events' };
  try {
    return opened(payload, tools.codec.packPayload(payload));
  } catch (error) {
    if (error instanceof CodecError) return BAD;
    throw error;
  }
}

function readCapture(bytes: Uint8Array, { codec, zstd, maxEvents }: BodyTools): Batch | Refused {
  // Wire format begins with a zero, a zstd frame does not.
  const packed = bytes[0] === 0 ? zstd.compress(bytes) : bytes;
  const payload = codec.openPayload(packed);
  if (!payload.ok) return payload.reason === 'limit_exceeded' ? TOO_LARGE : BAD;
  if (payload.value.events.length > maxEvents) return { refused: 'too_many_events' };
  return opened(payload.value, packed);
}

function opened({ subject, device, events }: CapturePayload, packed: Uint8Array): Batch {
  return { kind: 'open', subject, device, events: events.length, packed };
}

const KEY_ID_BYTES = 8;
/** Of AES-GCM. */
const TAG_BYTES = 16;

function readSealed(bytes: Uint8Array): Batch | Refused {
  const start = KEY_ID_BYTES + SEAL_KEY_BYTES;
  if (bytes.length <= start + TAG_BYTES) return BAD;
  const keyId = Buffer.from(bytes.subarray(0, KEY_ID_BYTES)).toString('hex');
  return {
    kind: 'sealed',
    payload: bytes.slice(start),
    seal: { keyId, encapsulated: bytes.slice(KEY_ID_BYTES, start) },
  };
}
