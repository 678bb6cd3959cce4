/** The records of the small topics: consent, keyring, erasures and quarantine. None holds anything that a person typed. */
import type { QuarantineReason } from './outcome.ts';

export const CONSENT_KINDS = ['enrol', 'pause', 'resume', 'withdraw', 'exempt'] as const;
export type ConsentKind = (typeof CONSENT_KINDS)[number];

/** One immutable decision about a person's recording. Record key: `${subjectKey}/${decisionId}`. */
export interface ConsentDecision {
  readonly subjectKey: string;
  readonly decisionId: string;
  readonly kind: ConsentKind;
  /** Milliseconds since the Unix epoch, stamped by the trusted side; so everywhere below. */
  readonly decidedAt: number;
  /** Pause only: its end, at most 30 minutes after `decidedAt`. */
  readonly until: number | null;
}

export const KEY_PURPOSES = ['session', 'subject'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

/** What an entry of the keyring may be for: pseudonyms, or opening what was sealed. */
export const ENTRY_PURPOSES = [...KEY_PURPOSES, 'sealing'] as const;
export type EntryPurpose = (typeof ENTRY_PURPOSES)[number];

export const KEY_STATES = ['active', 'destroyed'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** A pseudonym key of one purpose and epoch, or a private sealing key, as one wrapping key wraps it. */
export interface KeyringEntry {
  readonly purpose: EntryPurpose;
  /** Calendar month, UTC: `YYYY-MM`; of a sealing key its own id, so that nothing shares its place. */
  readonly epoch: string;
  readonly keyId: string;
  readonly createdAt: number;
  readonly state: KeyState;
  /** The key, wrapped; null once destroyed. */
  readonly wrapped: Uint8Array | null;
  /** What wraps it: a master key's id, or a version of a key of a service. */
  readonly masterKeyId: string;
  /** Of a key that was wrapped again: the offset at which it was first on the topic. Null: this is that record. */
  readonly since: number | null;
}

/**
 * From this record on, this wrapping key (or a later version of it) wraps: what another one wraps in a later record does not
 * count.
 */
export interface WrappingChoice {
  readonly state: 'chosen';
  readonly masterKeyId: string;
  readonly chosenAt: number;
  /** Tells this record from all others. */
  readonly choiceId: string;
}

export type KeyringRecord = KeyringEntry | WrappingChoice;

/** A public key to which producers seal payloads. Record key: the key's id. */
export interface SealingKey {
  /** First 16 hex digits of the public key's SHA-256. */
  readonly keyId: string;
  /** X25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly createdAt: number;
  readonly state: KeyState;
}

export const DEVICE_TOKEN_ID = /^[0-9a-f]{16}$/u;

/** What a recorder may sign in to the gateway with. Record key: the token's id. */
export interface DeviceToken {
  /** 16 random hex digits; not secret. */
  readonly tokenId: string;
  readonly subjectKey: string;
  /** The only device that it is for; null: any of the person's. */
  readonly device: string | null;
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
  readonly issuedAt: number;
  /** Good before this time. */
  readonly expiresAt: number;
  readonly revokedAt: number | null;
}

/** A person asked that nothing of theirs be processed again, nor kept. Record key: the subject key. */
export interface Erasure {
  readonly subjectKey: string;
  readonly requestedAt: number;
  readonly erasureId: string;
  readonly by: (typeof ERASED_BY)[number];
  /** When nothing was left; null while it is under way. */
  readonly doneAt: number | null;
  /** What was removed from the tables, once it is done. */
  readonly rows: number;
  readonly sessions: number;
}

export const ERASED_BY = ['person', 'operator'] as const;

export const REQUEST_KINDS = ['exemption'] as const;
export const REQUEST_ANSWERS = ['granted', 'refused'] as const;
export type RequestAnswer = (typeof REQUEST_ANSWERS)[number];

/** What a person asks for and an operator decides. Record key: `${subjectKey}/${requestId}`. */
export interface PersonRequest {
  readonly subjectKey: string;
  readonly requestId: string;
  readonly kind: (typeof REQUEST_KINDS)[number];
  /** In the person's own words; empty once it is answered. */
  readonly reason: string;
  readonly askedAt: number;
  /** Null while it is open. */
  readonly answer: RequestAnswer | null;
  readonly answeredAt: number | null;
  /** What the operator says to it. */
  readonly comment: string;
}

/**
 * Whose a session of the table is, closed. Record key: the session's pseudonym, or, for events of which nothing was released,
 * the place of a raw batch (`${partition}/${offset}`).
 */
export interface SessionOwner {
  /** Month of the key that it is closed under: `YYYY-MM`. */
  readonly epoch: string;
  readonly closed: Uint8Array;
}

/** Who did what with personal data. Record key: the sequence. */
export interface AuditRecord {
  readonly sequence: number;
  /** Hash of the record before, 64 hex digits; of the first, zeros. */
  readonly previous: string;
  readonly at: number;
  /** The records of one piece of work share it. */
  readonly run: string;
  readonly who: string;
  readonly what: string;
  readonly stage: (typeof AUDIT_STAGES)[number];
  readonly why: string;
  /** A JSON object; nothing of a person. */
  readonly about: string;
  /** SHA-256 over all of the above, 64 hex digits. */
  readonly hash: string;
}

export const AUDIT_STAGES = ['started', 'done', 'failed'] as const;

/** Where a batch is that could not be processed, and why; never what it held. Record key: `${topic}/${partition}/${offset}`. */
export interface QuarantineRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: QuarantineReason;
  /** Size of the raw record's value. */
  readonly bytes: number;
  /** The raw record's own timestamp, so that a second run writes the same bytes. */
  readonly quarantinedAt: number;
}
