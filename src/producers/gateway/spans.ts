/** How much of what was kept, and of who had access, one answer holds. Apart from the protocol, so that a page can say it. */

/** The last days, today among them (UTC), and the last rows of each. */
export const KEPT_DAYS = 8;
export const KEPT_ACTIONS = 200;

/** The last days, and the last entries of them. */
export const READERS_DAYS = 30;
export const READERS_ENTRIES = 200;
