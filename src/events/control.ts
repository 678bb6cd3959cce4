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

export const KEY_STATES = ['active', 'destroyed'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** A pseudonym key of one purpose and epoch. Record key: `${purpose}/${epoch}/${keyId}`. */
export interface KeyringEntry {
  readonly purpose: KeyPurpose;
  /** Calendar month, UTC: `YYYY-MM`. */
  readonly epoch: string;
  readonly keyId: string;
  readonly createdAt: number;
  readonly state: KeyState;
  /** The key under AES-256-GCM with the master key; null once destroyed. */
  readonly wrapped: Uint8Array | null;
  readonly masterKeyId: string;
}

/** A person asked that nothing of theirs be processed again. Record key: the subject key. */
export interface Erasure {
  readonly subjectKey: string;
  readonly requestedAt: number;
  readonly erasureId: string;
}

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
