/** How often a person may ask, and how much they may send in a day; in memory, per process. */
export interface Quotas {
  /** Takes one request; 0, or how many seconds to wait for the next. */
  request(person: string, now: number): number;
  /** Bytes that the person has sent on this day (UTC). */
  sent(person: string, now: number): number;
  /** Whether so many more bytes are within the day's budget; they count at once if they are. */
  spend(person: string, bytes: number, now: number): boolean;
  /** Takes back what was spent at that time on something that was not kept. */
  refund(person: string, bytes: number, now: number): void;
}

interface Account {
  /** Requests that are left. */
  tokens: number;
  /** When they were counted, ms. */
  at: number;
  /** Bytes of today. */
  sent: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const dayOf = (now: number): number => Math.floor(now / DAY_MS);

export function createQuotas(limits: { readonly requestsPerMinute: number; readonly dataBudgetBytes: number }): Quotas {
  const { requestsPerMinute, dataBudgetBytes } = limits;
  const accounts = new Map<string, Account>();
  /** The latest that was seen: a clock that is set back begins no new one. */
  let today = 0;

  function accountOf(person: string, now: number): Account {
    if (dayOf(now) > today) beginDay(now);
    let account = accounts.get(person);
    if (account === undefined) accounts.set(person, (account = { tokens: requestsPerMinute, at: now, sent: 0 }));
    return account;
  }

  function beginDay(now: number): void {
    today = dayOf(now);
    for (const [person, account] of accounts) {
      account.sent = 0;
      // Who has not asked for a minute may ask as often as somebody new.
      if (account.at < now - MINUTE_MS) accounts.delete(person);
    }
  }

  return {
    request(person, now) {
      const account = accountOf(person, now);
      const earned = (Math.max(0, now - account.at) / MINUTE_MS) * requestsPerMinute;
      account.tokens = Math.min(requestsPerMinute, account.tokens + earned);
      // A clock that was set back earns nothing twice.
      account.at = Math.max(account.at, now);
      if (account.tokens < 1) return Math.ceil(((1 - account.tokens) * MINUTE_MS) / requestsPerMinute / 1_000);
      account.tokens -= 1;
      return 0;
    },
    sent: (person, now) => accountOf(person, now).sent,
    spend(person, bytes, now) {
      const account = accountOf(person, now);
      if (account.sent + bytes > dataBudgetBytes) return false;
      account.sent += bytes;
      return true;
    },
    refund(person, bytes, now) {
      // What was spent yesterday is forgotten, and was not spent today.
      if (dayOf(now) < today) return;
      const account = accountOf(person, now);
      account.sent = Math.max(0, account.sent - bytes);
    },
  };
}

/** Seconds until the day (UTC) is over. */
export const secondsLeft = (now: number): number => Math.ceil((DAY_MS - (now % DAY_MS)) / 1_000);
