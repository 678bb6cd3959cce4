import { keccak_256 } from '@noble/hashes/sha3.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bech32, bech32m, createBase58check } from '@scure/base';
import { contextOf } from './context.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Addresses of wallets, and their private keys, that their check sums prove: Base58Check (Bitcoin, Litecoin, Dogecoin, Dash,
 * Tron, Ripple's own alphabet), Bech32 (BIP 173, BIP 350) of any chain, and Ethereum's 20 bytes in hex (EIP-55 when of mixed case).
 */
export const recognizer: Recognizer = { kinds: ['crypto_address'], find };

/** Check sums computed per text; beyond it the shape alone decides, to bound the time. */
const MAX_CHECKS = 200;

const base58check = createBase58check(sha256);

const WALLET = contextOf([
  'wallet',
  'crypto',
  'bitcoin',
  'btc',
  'eth',
  'ethereum',
  'solana',
  'monero',
  'xmr',
  'usdt',
  'address',
  'ledger',
  'metamask',
  'Krypto',
  'portefeuille',
  'monedero',
  'billetera',
  'carteira',
  'portafoglio',
  'portfel',
  '钱包',
]);

/** Words from which a wallet can be made anew (BIP 39), after a phrase that says so; names of the Ethereum Name Service. */
const PHRASE =
  /(?<!\p{L})(?:(?:seed|recovery|mnemonic|secret|backup|wallet) (?:phrase|words|seed)|mnemonic|seed)["']?(?: is)?[ :=]{1,3}["']?((?:[a-z]{3,8} ){11,23}[a-z]{3,8})(?![\p{L}\p{N}])/giu;
const NAME = /(?<![\p{L}\p{N}_.@/-])[a-z0-9][a-z0-9-]{2,40}\.eth(?![\p{L}\p{N}_(=-]|\.\p{L})/gu;

function find(view: TextView): Span[] {
  const spans: Span[] = [];
  if (/seed|phrase|mnemonic|words/iu.test(view.text)) {
    for (const { 0: all, 1: words = '', index } of view.text.matchAll(PHRASE)) {
      const end = index + all.length;
      spans.push({ start: end - words.length, end, kind: 'crypto_address', score: 0.8, checked: 'phrase' });
    }
  }
  for (const { 0: name, index } of view.text.includes('.eth') ? view.text.matchAll(NAME) : []) {
    spans.push({ start: index, end: index + name.length, kind: 'crypto_address', score: 0.5, checked: 'name' });
  }
  let checks = 0;
  for (const { 0: token, index } of view.text.matchAll(TOKEN)) {
    const shape = shapeOf(token);
    if (shape === undefined) continue;
    checks += 1;
    const checked = checks > MAX_CHECKS ? 'shape' : CHECKS[shape](token);
    const score = checked === undefined ? undefined : SCORES[checked];
    if (checked === undefined || score === undefined) continue;
    const end = index + token.length;
    const isNamed = score < 0.5 && view.near(WALLET, index, end);
    spans.push({ start: index, end, kind: 'crypto_address', score: isNamed ? 0.6 : score, checked });
  }
  return spans;
}

const TOKEN = /(?<![0-9A-Za-z_])(?:[0-9A-Za-z]{1,12}:)?[0-9A-Za-z]{25,108}(?![0-9A-Za-z_])/gu;

type Shape = 'base58' | 'bech32' | 'hex' | 'solana' | 'monero';

function shapeOf(token: string): Shape | undefined {
  if (/^0x[0-9A-Fa-f]{40}$/u.test(token)) return 'hex';
  if (/^(?:[a-z]{2,10}1[02-9ac-hj-np-z]{20,90}|[A-Z]{2,10}1[02-9AC-HJ-NP-Z]{20,90})$/u.test(token)) return 'bech32';
  if (/^[48][1-9A-HJ-NP-Za-km-z]{94}$/u.test(token)) return 'monero';
  if (
    /^[1-9A-HJ-NP-Za-km-z]{25,35}$|^[5KLc9T6xq][1-9A-HJ-NP-Za-km-z]{50,51}$|^[xyz](?:pub|prv)[1-9A-HJ-NP-Za-km-z]{100,108}$/u.test(
      token,
    )
  ) {
    return 'base58';
  }
  return /^[1-9A-HJ-NP-Za-km-z]{43,44}$/u.test(token) &&
    /\d/u.test(token) &&
    /[A-Z]/u.test(token) &&
    /[a-z]/u.test(token)
    ? 'solana'
    : undefined;
}

const SCORES: Readonly<Record<string, number>> = {
  base58check: 0.95,
  bech32: 0.95,
  'eip-55': 0.95,
  hex: 0.6,
  shape: 0.4,
  solana: 0.35,
};

const CHECKS: Readonly<Record<Shape, (token: string) => string | undefined>> = {
  base58: (token) => (succeeds(() => base58check.decode(token)) || isRipple(token) ? 'base58check' : undefined),
  bech32: (token) => {
    const [head = '', tail = ''] = token.toLowerCase().split(/1(?=[^1]*$)/u);
    const text = `${head}1${tail}` as const;
    return succeeds(() => bech32.decode(text, 120)) || succeeds(() => bech32m.decode(text, 120)) ? 'bech32' : undefined;
  },
  hex: (token) => {
    const digits = token.slice(2);
    if (/^(?:[^A-F]*|[^a-f]*)$/u.test(digits)) return /^(.)\1*$/u.test(digits) ? undefined : 'hex';
    return isEip55(digits) ? 'eip-55' : undefined;
  },
  monero: () => 'hex',
  solana: () => 'solana',
};

function succeeds(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch {
    return false;
  }
}

/** Ripple has Base58Check with an alphabet of its own. */
function isRipple(token: string): boolean {
  if (!token.startsWith('r')) return false;
  const bitcoin = token.replace(/[^]/gu, (character) => BITCOIN[RIPPLE.indexOf(character)] ?? '0');
  return succeeds(() => base58check.decode(bitcoin));
}

const BITCOIN = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const RIPPLE = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';

/** The case of each letter is a bit of the hash of the address in lower case (EIP-55). */
function isEip55(digits: string): boolean {
  const hash = keccak_256(new TextEncoder().encode(digits.toLowerCase()));
  return Array.from(digits).every((digit, i) => {
    const byte = hash[i >> 1] ?? 0;
    const nibble = i % 2 === 0 ? byte >> 4 : byte & 15;
    return /\d/u.test(digit) || nibble >= 8 === (digit >= 'A' && digit <= 'F');
  });
}
