/** Times, numbers and amounts as the person's own language writes them. */
export interface Formats {
  number(value: number): string;
  /** 0..1 */
  share(value: number): string;
  bytes(count: number): string;
  /** Time of day, of ms since 1970. */
  time(at: number): string;
  /** Day and time, of ms since 1970. */
  dayTime(at: number): string;
  /** Of a UTC day, `YYYY-MM-DD`. */
  day(day: string): string;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

/** @param timeZone the browser's, if it is not given. */
export function createFormats(locale: string, timeZone?: string): Formats {
  const zone = timeZone === undefined ? {} : { timeZone };
  const number = new Intl.NumberFormat(locale);
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'short', ...zone });
  const dayTime = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', ...zone });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' });
  return {
    number: (value) => number.format(value),
    share: (value) => share.format(value),
    bytes(count) {
      const power = count < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(count) / 3));
      const unit = UNITS[power] ?? 'byte';
      const format = { style: 'unit', unit, unitDisplay: power === 0 ? 'long' : 'short' } as const;
      const digits = { maximumFractionDigits: power === 0 ? 0 : 1 };
      return new Intl.NumberFormat(locale, { ...format, ...digits }).format(count / 1_000 ** power);
    },
    time: (at) => time.format(at),
    dayTime: (at) => dayTime.format(at),
    day: (text) => day.format(new Date(`${text}T00:00:00Z`)),
  };
}

/** Minutes and seconds that are left of ms: `4:05`. Rounded up, so that 0:00 is over. */
export function clockOf(leftMs: number): string {
  const seconds = Math.ceil(Math.max(0, leftMs) / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
