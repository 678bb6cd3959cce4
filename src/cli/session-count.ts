/** How many session pseudonyms a table has. */
export interface SessionCount {
  readonly sessions: number;
  /** There are more than `sessions`: a date has more than are remembered of one. */
  readonly isMore: boolean;
}

/**
 * Remembered of a date, some 200 MB of them; a Set has no room for more than 16.7 million. So many are of 10,000 people who do
 * 5,000 actions a day each.
 */
const MAX_OF_A_DATE = 2_000_000;

/** Counts pseudonyms in bounded memory: a pseudonym has one date, so those of one date only have to be remembered. */
export class SessionCounter {
  readonly #most: number;
  readonly #ofDate = new Set<string>();
  #date = '';
  #before = 0;
  #isMore = false;

  constructor(most: number = MAX_OF_A_DATE) {
    this.#most = most;
  }

  /** Rows come by date. */
  add({ date, session }: { readonly date: string; readonly session: string }): void {
    if (date !== this.#date) {
      this.#before += this.#ofDate.size;
      this.#ofDate.clear();
      this.#date = date;
    }
    if (this.#ofDate.size < this.#most) this.#ofDate.add(session);
    else if (!this.#ofDate.has(session)) this.#isMore = true;
  }

  result(): SessionCount {
    return { sessions: this.#before + this.#ofDate.size, isMore: this.#isMore };
  }
}
