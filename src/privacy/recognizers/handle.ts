import { contextOf } from './context.ts';
import { FAMILY, flagsOf, foldName, GIVEN, INTERFACE, SURE, WORD } from './names/lists.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Names by which people are known on the net: `@ana_kovac`, profile addresses (`linkedin.com/in/ana-kovac`), `u/ana_k`,
 * `ana#1234`. Decorators, package scopes, at-rules and groups (`@Override`, `@types/node`, `@media`, `@here`) are none.
 */
export const recognizer: Recognizer = { kinds: ['handle'], find };

function find(view: TextView): Span[] {
  const { text } = view;
  const spans: Span[] = [];
  const add = (match: RegExpExecArray, name: string, score: number, checked: string): void => {
    const end = match.index + match[0].length;
    spans.push({ start: end - name.length, end, kind: 'handle', score, checked });
  };
  for (const match of text.matchAll(AT)) {
    const name = (match[1] ?? '').replace(/\.+$/u, '');
    if (NOT_PEOPLE.has(name.toLowerCase())) continue;
    const start = match.index;
    const end = start + 1 + name.length;
    const score = scoreOf(view, name, start, end);
    if (score > 0) spans.push({ start, end, kind: 'handle', score, checked: 'at' });
  }
  for (const match of text.matchAll(HYPHENED)) {
    const name = match[1] ?? '';
    if (name.split('-').some(isName)) {
      spans.push({ start: match.index, end: match.index + match[0].length, kind: 'handle', score: 0.5, checked: 'at' });
    }
  }
  for (const match of text.matchAll(PROFILE)) {
    const name = match[1] ?? '';
    if (!isTaken(name)) add(match, name, 0.65, 'profile');
  }
  for (const match of text.matchAll(FORGE)) {
    const name = match[1] ?? '';
    if (!isTaken(name) && holdsName(name)) add(match, name, 0.5, 'profile');
  }
  for (const match of text.matchAll(REDDIT)) if (!isTaken(match[1] ?? '')) add(match, match[1] ?? '', 0.5, 'profile');
  for (const match of text.matchAll(DISCORD)) {
    if (!isCommonWord(match[1] ?? ''))
      add(match, match[0], view.near(SOCIAL, match.index, match.index) ? 0.6 : 0.4, 'tag');
  }
  for (const match of text.matchAll(LABELLED)) if (!isTaken(match[1] ?? '')) add(match, match[1] ?? '', 0.55, 'label');
  return spans;
}

// Not followed by what makes it code: a scope's slash, a decorator's bracket, a host.
const AT = /(?<![\p{L}\p{N}_@.\\/+:#$&*%`"'[({<=-]|\* )@([A-Za-z][A-Za-z0-9_.]{2,29})(?![\p{L}\p{N}_(/@{:=-])/gu;

/** `@zhang-wei`: only with a name in it, as rules of style sheets have dashes too. */
const HYPHENED = /(?<![\p{L}\p{N}_@.\\/+:#$&*%`"'[({<=-]|\* )@([a-z]{2,20}-[a-z]{2,20})(?![\p{L}\p{N}_(/@{:=.-])/gu;

function scoreOf(view: TextView, name: string, start: number, end: number): number {
  const parts = name.split(/[._\d]+/u).filter(Boolean);
  const isCode = /^[^\S\n]*(?:\w+ ?\(|\{|;|@)/u.test(view.text.slice(end, end + 40)) || /^[A-Z][a-z]+[A-Z]/u.test(name);
  if (isCode) return 0;
  if (parts.some(isName)) return parts.length > 1 || name.length > 8 ? 0.6 : 0.5;
  if (isCommonWord(name)) return 0;
  if (view.near(SOCIAL, start, end)) return 0.5;
  // A separator or a number inside makes it nobody's decorator.
  if (/[a-z]_[a-z]|[a-z]\d/u.test(name) && !/[A-Z]/u.test(name)) return 0.45;
  return 0.3;
}

const SOCIAL = contextOf([
  'twitter',
  'instagram',
  'insta',
  'telegram',
  'tiktok',
  'mastodon',
  'threads',
  'bluesky',
  'facebook',
  'linkedin',
  'snapchat',
  'discord',
  'follow',
  'following',
  'followers',
  'follower',
  'dm',
  'dms',
  'mention',
  'mentioned',
  'reply',
  'replying to',
  'tweet',
  'retweet',
  'rt',
  'via',
  'cc',
  'thanks',
  'thx',
  'hi',
  'hey',
  'hello',
  'ping',
  'slack',
  'chat',
  'message',
  'ask',
  'by',
  'posted',
  'assigned',
  'reviewer',
  'author',
  'danke',
  'hallo',
  'folgen',
  'antwort an',
  'merci',
  'bonjour',
  'suivre',
  'gracias',
  'hola',
  'seguir',
  'grazie',
  'ciao',
  'obrigado',
  'olá',
  'спасибо',
  'привет',
  'handle',
  'profile',
  'channel',
  'youtube',
  'photo',
  'tagged',
  'shared',
  'liked',
]);

const PROFILE =
  /(?:linkedin\.com\/in|xing\.com\/profile|reddit\.com\/(?:user|u)|stackoverflow\.com\/users\/\d{1,9}|(?<![\p{L}\p{N}.-])(?:(?:www|m|mobile)\.)?(?:twitter|x|instagram|facebook|fb|vk|snapchat|threads|soundcloud|gravatar|tiktok|youtube|medium|patreon|venmo|pinterest|dribbble)\.com|bsky\.app\/profile|(?:mastodon\.[a-z]{2,10}|[a-z.]{3,30}\.social|twitch\.tv|ok\.ru|hachyderm\.io|steamcommunity\.com\/id)|cash\.app|t\.me|wa\.me|paypal\.me|about\.me|linktr\.ee|keybase\.io)\/@?([\p{L}\p{N}_][\p{L}\p{N}_.%-]{1,59})(?<![.])(?![\p{L}\p{N}_.%-]*\/(?!$|[?#\s]))/giu;
// A repository's or package's owner: one of them may be a company, hence a name must be in it.
const FORGE =
  /(?<![\p{L}\p{N}.-])(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|gist\.github\.com|hub\.docker\.com\/u|npmjs\.com\/~)\/([a-z][a-z0-9-]{2,38})(?![\p{L}\p{N}.-])/giu;
const REDDIT = /(?<![\p{L}\p{N}_./])u\/([A-Za-z0-9_-]{3,20})(?![\p{L}\p{N}/])/gu;
const DISCORD = /(?<![\p{L}\p{N}_#@/.-])([a-z][a-z0-9_.]{2,31})#\d{4}(?!\d|[\p{L}_])/gu;
const LABELLED =
  /(?<![\p{L}])(?:twitter|instagram|insta|ig|telegram|skype|discord|tiktok|snapchat|snap|github|gitlab|steam|psn|xbox|twitch|mastodon|bluesky|threads|venmo|cash ?app|handle|nickname|screen name|gamertag|wechat|wechat id|line id|kakao(?:talk)? id|微信号?|微信號|QQ)(?: ?(?:id|handle|name|user|username))? ?[:\uFF1A] ?@?(?:live:)?([a-z][a-z0-9_.]{2,31})(?![\p{L}\p{N}@/(])/giu;

/** A path of the site itself, or an ordinary word. */
function isTaken(name: string): boolean {
  return name.length < 2 || NOT_PEOPLE.has(name.toLowerCase()) || isCommonWord(name);
}

function isCommonWord(name: string): boolean {
  const flags = flagsOf(foldName(name));
  return (flags & INTERFACE) !== 0 || ((flags & WORD) !== 0 && (flags & (GIVEN | FAMILY)) === 0);
}

/** Whether a name begins or ends it: `anakovac`, `ana-kovac`, `kovac92`. */
function holdsName(name: string): boolean {
  const parts = name
    .toLowerCase()
    .split(/[-_.\d]+/u)
    .filter(Boolean);
  return parts.some((part) => {
    if (isName(part)) return true;
    for (let at = flagsOf(part) === 0 ? 3 : part.length; at <= part.length - 3; at += 1) {
      const [one, two] = [flagsOf(part.slice(0, at)), flagsOf(part.slice(at))];
      const isPair = (one & (GIVEN | WORD)) === GIVEN && (two & (FAMILY | SURE | WORD)) === (FAMILY | SURE);
      if (isPair) return true;
    }
    // An initial before a family name that means nothing else: `akovac`.
    return (
      part.length > 5 && flagsOf(part) === 0 && (flagsOf(part.slice(1)) & (FAMILY | SURE | WORD)) === (FAMILY | SURE)
    );
  });
}

function isName(part: string): boolean {
  const flags = flagsOf(foldName(part));
  return part.length > 2 && (flags & (SURE | WORD)) === SURE && (flags & (GIVEN | FAMILY)) !== 0;
}

/** At-rules, documentation tags, annotations, groups, pages of sites. */
const NOT_PEOPLE = new Set(
  `channel here everyone all team room online group admins mods moderators staff support media import font-face fontface keyframes
  charset layer container supports page namespace property tailwind apply include mixin extend use forward function return if else each
  for while param params returns return throws exception see since version author deprecated link inheritdoc code literal override test
  before after beforeeach aftereach bean autowired component service repository controller entity table column id data getter setter
  builder value input output injectable ngmodule directive pipe viewchild hostlistener property staticmethod classmethod dataclass
  pytest app click route login_required suppresswarnings functionalinterface safevarargs nullable notnull nonnull objc available escaping
  main mainactor published state binding environment observedobject objectwillchange interface implementation end protocol synthesize
  dynamic class selector try catch finally todo fixme github gitlab angular babel types mui next vue react storybook home explore
  settings login signup about help privacy terms jobs search intent share sharer hashtag watch events groups pages marketplace gaming
  policies legal developers business ads profile profiles notifications messages i compose shorts feed trending reels stories p explore
  param_name typedef callback enum template const static public private protected module exports requires example default type`.split(
    /\s+/u,
  ),
);
