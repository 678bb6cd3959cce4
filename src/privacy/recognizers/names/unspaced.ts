import { CHINESE_FAMILY, CHINESE_GIVEN, JAPANESE_FAMILY, JAPANESE_GIVEN, KOREAN_FAMILY, KOREAN_GIVEN } from './data.ts';
import type { Span } from '../span.ts';

/**
 * Names in Chinese, Japanese and Korean, where no space says where a word ends: a family name with characters of given names
 * behind it, sure where a title follows (`王小明先生`, `田中さん`, `김민수님`) or where nothing else stands in its part of the text.
 */
export function unspacedNames(text: string): Span[] {
  if (!EAST_ASIAN.test(text)) return [];
  return [...chineseNames(text), ...japaneseNames(text), ...koreanNames(text), ...thaiNames(text)];
}

/** After a title, which is written onto the name. */
function thaiNames(text: string): Span[] {
  return [...text.matchAll(TITLED_THAI)].map((match) => {
    const end = match.index + match[0].length;
    const name = match[1] ?? '';
    return { start: end - name.length, end, kind: 'person', score: 0.6, checked: 'title' };
  });
}

const TITLED_THAI =
  /(?:(?<![\p{Script=Thai}])(?:นางสาว|นาง|นาย|ดร\.|เด็กชาย|เด็กหญิง) ?|(?<![\p{Script=Thai}])คุณ |สวัสดี(?:ครับ|ค่ะ)? ?คุณ ?)((?!หน้า|ก[รฯ]|จ้าง)[\p{Script=Thai}]{3,30}(?: [\p{Script=Thai}]{3,30})?)/gu;

const EAST_ASIAN = /[\p{Script=Thai}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

interface Lists {
  readonly chineseFamily: ReadonlySet<string>;
  readonly chineseGiven: ReadonlySet<string>;
  readonly japaneseFamily: ReadonlySet<string>;
  readonly japaneseGiven: ReadonlySet<string>;
  readonly japaneseCharacters: ReadonlySet<string>;
  readonly koreanFamily: ReadonlySet<string>;
  readonly koreanGiven: ReadonlySet<string>;
  readonly koreanSyllables: ReadonlySet<string>;
}

let lists: Lists | undefined;

function getLists(): Lists {
  lists ??= {
    chineseFamily: new Set(CHINESE_FAMILY.split(' ')),
    chineseGiven: new Set(CHINESE_GIVEN),
    japaneseFamily: new Set(`${JAPANESE_FAMILY} ${MORE_JAPANESE}`.split(' ').filter((name) => name.length > 1)),
    japaneseGiven: new Set(JAPANESE_GIVEN.split(' ').filter((name) => name.length > 1)),
    japaneseCharacters: new Set(
      JAPANESE_GIVEN + '之也哉平樹輝太郎介一二三男夫雄彦人斗翔希香奈菜美子花咲愛結衣莉沙里穂織代世恵江枝',
    ),
    koreanFamily: new Set(KOREAN_FAMILY.split(' ')),
    koreanGiven: new Set(KOREAN_GIVEN.split(' ').filter((name) => name.length === 2)),
    koreanSyllables: new Set(KOREAN_GIVEN.replaceAll(' ', '')),
  };
  return lists;
}

const MORE_JAPANESE =
  '佐藤 鈴木 高橋 田中 伊藤 渡辺 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 斎藤 清水 山崎 阿部 池田 橋本 石川 山下 小川 石井 長谷川 後藤 岡田 近藤 前田 藤田 遠藤 青木 坂本 村上 太田 金子 藤井 福田 西村 三浦 竹内 中川 岡本 松田 原田 中野 小野 田村 藤原 中山 石田 小島 和田 森田 内田 柴田 酒井 工藤 横山 宮崎 宮本 高木 安藤 谷口 大野 丸山 今井 高田 藤本 武田 村田 上野 杉山 増田 平野 菅原 大塚 久保 松井 千葉 岩崎 桜井 木下 野口 松尾 菊地 野村 佐野 大西 杉本 新井 浜田 市川 古川 水野 小松 島田 小山 樋口 平田 川口 川崎 飯田 東 本田 吉川 渡邊 齋藤 斉藤';

/** The commonest family names: nearly nine of ten people in China have one of them. */
const COMMON_CHINESE = new Set(
  '王李张劉刘陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾萧蕭田董袁潘蒋蔣蔡余杜叶葉程苏蘇魏吕呂丁任沈姚卢盧姜崔钟鐘谭譚陆陸汪范石廖贾賈韦付邹鄒孟熊秦邱江尹薛闫阎段雷侯龙龍陶黎贺賀顾顧毛郝龚龔邵万钱錢严嚴覃武戴莫孔向汤湯欧阳歐陽',
);

const TITLES_ZH =
  '先生|女士|小姐|老师|老師|同学|经理|總監|总监|总裁|主任|教授|医生|醫生|博士|律师|律師|师傅|董事长|部长|老板|同志|太太|哥|姐';
const TITLED_ZH = new RegExp(`(\\p{Script=Han}{1,4}?)(?:${TITLES_ZH})`, 'gu');

function chineseNames(text: string): Span[] {
  const { chineseFamily, chineseGiven } = getLists();
  const spans: Span[] = [];
  for (const run of text.matchAll(HAN_RUN)) {
    const word = run[0];
    const before = text.slice(Math.max(0, run.index - 6), run.index);
    const after = text.slice(run.index + word.length, run.index + word.length + 24);
    // Kana around it: Japanese, which has its own lists.
    if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(before.slice(-1) + after.slice(0, 1))) continue;
    const add = (start: number, length: number, score: number, checked: string): void => {
      spans.push({ start: run.index + start, end: run.index + start + length, kind: 'person', score, checked });
    };
    const isCompound = chineseFamily.has(word.slice(0, 2)) && word.length > 2;
    const familyLength = isCompound ? 2 : 1;
    const given = Array.from(word.slice(familyLength));
    const isFamily = isCompound || COMMON_CHINESE.has(word.slice(0, 1));
    const isGiven = given.length > 0 && given.length <= 2 && given.every((character) => chineseGiven.has(character));
    const isCued =
      /(?:[@\uFF20]|(?:姓名|联系人|聯絡人|负责人|發件人|发件人|收件人|经办人|审批人|创建人|作者|患者|客户|员工|指派给)[:\uFF1A ]{1,2})$/u.test(
        before,
      );
    const isTalk =
      /^(?:$|\s*[-|(（\u2014·]\s*(?:聊天|微信|企业微信|钉钉|飞书|QQ|会议|通话|對話|对话|Teams|Slack|Zoom|WeChat|Microsoft Teams|Chat|访客|来宾))/u.test(
        after,
      );
    if (isFamily && isGiven) {
      if (isCued) add(0, word.length, 0.7, 'names+context');
      else if (isTalk && after !== '') add(0, word.length, 0.65, 'names+context');
      else if (given.length === 2) add(0, word.length, 0.5, 'names');
      else add(0, word.length, 0.3, 'names');
      continue;
    }
    if (isCued && word.length >= 2 && word.length <= 4 && chineseFamily.has(word.slice(0, 1))) {
      add(0, word.length, 0.5, 'context');
      continue;
    }
    for (const found of insideHan(word, chineseFamily, chineseGiven))
      add(found.start, found.length, found.score, 'names+context');
  }
  return spans;
}

const HAN_RUN = /\p{Script=Han}{2,}/gu;
// What stands right before a name in a sentence, and right after it.
const BEFORE_ZH =
  /(?:与|和|跟|給|给|找|由|向|请|請|是|叫|我叫|同|至|致|@|通知|联系|聯絡|邀请|邀請|来自|回复|回覆|抄送|发给|感谢|感謝|你好|您好|亲爱的|尊敬的)$/u;
const AFTER_ZH =
  /^(?:聊天|开会|見面|见面|吃饭|吃飯|联系|聯繫|视频|語音|语音|通电话|共享|的|说|說|和|与|与|在|已|将|會|会|请|請|发|邀请|你好|您好|通话|讨论|先生|女士|$)/u;

// What nobody but a person does or has, so that a name before it needs nothing in front.
const DONE_ZH =
  /^(?:的(?:个人|個人|资料|資料|主页|主頁|消息|聊天|群聊|会议|會議|日程|日历|简历|簡歷|头像|名片|文件|空间|账号|帳號|电脑|手机|邮件|屏幕)|发来|發來|发送了|邀请[您你]|邀請[您你]|分享了|加入了|离开了|離開了|评论了|評論了|回复了|回覆了|上传了|创建了|正在输入|撤回了|拍了拍|来电|來電)/u;

/** Names in the midst of other characters: a title after, or the words around, must say so. */
function insideHan(
  word: string,
  family: ReadonlySet<string>,
  given: ReadonlySet<string>,
): { start: number; length: number; score: number }[] {
  const found: { start: number; length: number; score: number }[] = [];
  for (const match of word.matchAll(TITLED_ZH)) {
    const name = match[1] ?? '';
    // The last characters before the title, from the longest name that begins with a family name.
    for (const length of [4, 3, 2, 1]) {
      const part = name.slice(-length);
      const isFamily = length === 4 ? family.has(part.slice(0, 2)) : COMMON_CHINESE.has(part.charAt(0));
      if (part.length !== length || !isFamily) continue;
      if (length > 1 && !Array.from(part.slice(length === 4 ? 2 : 1)).every((character) => given.has(character)))
        continue;
      if (length === 1 && name.length > 1 && !BEFORE_ZH.test(name.slice(0, -1))) continue;
      found.push({ start: match.index + name.length - length, length, score: 0.65 });
      break;
    }
  }
  for (let at = 0; at < word.length - 1; at += 1) {
    if (!COMMON_CHINESE.has(word.charAt(at)) && !family.has(word.slice(at, at + 2))) continue;
    const isLed = BEFORE_ZH.test(word.slice(Math.max(0, at - 3), at));
    if (!isLed && at > 0) continue;
    const own = family.has(word.slice(at, at + 2)) ? 2 : 1;
    for (const length of [own + 2, own + 1]) {
      const part = word.slice(at, at + length);
      if (part.length !== length || !Array.from(part.slice(own)).every((character) => given.has(character))) continue;
      const after = word.slice(at + length, at + length + 4);
      const isListed = isLed ? AFTER_ZH.test(after) : DONE_ZH.test(after) || isAnotherName(after, family, given);
      if (!isListed) continue;
      found.push({ start: at, length, score: 0.55 });
      at += length - 1;
      break;
    }
  }
  return found;
}

/** `孙丽和周杰`: a name, `and`, another name. */
function isAnotherName(after: string, family: ReadonlySet<string>, given: ReadonlySet<string>): boolean {
  return (
    /^[和与與、]/u.test(after) &&
    (COMMON_CHINESE.has(after.charAt(1)) || family.has(after.slice(1, 3))) &&
    given.has(after.charAt(2))
  );
}

const HONORIFIC_JA =
  /^ ?(?:さん|様|さま|氏|くん|君|ちゃん|先生|先輩|部長|課長|係長|社長|専務|常務|主任|殿|教授|博士|の予定|との|と会議)/u;
const JAPANESE_RUN = /[\p{Script=Han}\u3005]{2,}[\p{Script=Hiragana}\p{Script=Katakana}\u30FC]{0,4}/gu;
const KATAKANA_NAME =
  /[\p{Script=Katakana}\u30FC]{2,12}(?:[\u30FB=][\p{Script=Katakana}\u30FC]{2,12}){0,2}(?=さん|様|さま|氏|くん|ちゃん|先生)/gu;

function japaneseNames(text: string): Span[] {
  const { japaneseFamily, japaneseGiven, japaneseCharacters } = getLists();
  const spans: Span[] = [];
  for (const match of text.matchAll(KATAKANA_NAME)) {
    if (/(?:ユーザー|ユーザ|ゲスト|オーナー|メンバー|お客)$/u.test(match[0])) continue;
    spans.push({
      start: match.index,
      end: match.index + match[0].length,
      kind: 'person',
      score: 0.5,
      checked: 'title',
    });
  }
  for (const run of text.matchAll(JAPANESE_RUN)) {
    const word = run[0];
    for (const length of [3, 2]) {
      const name = word.slice(0, length);
      if (name.length !== length || !japaneseFamily.has(name)) continue;
      const end = run.index + length;
      const after = text.slice(end, end + 8);
      const given = givenAfter(after, japaneseGiven, japaneseCharacters);
      const isTitled = HONORIFIC_JA.test(after.slice(given));
      const isAlone =
        /^(?:$|[\s|(（\-、,])/u.test(after.slice(given)) &&
        /(?:^|[\s|@:：(（-])$/u.test(text.slice(0, run.index).slice(-1));
      const score = isTitled
        ? 0.75
        : given > 0 && isAlone
          ? 0.7
          : given > 0
            ? 0.55
            : isAlone && !JAPANESE_PLACES.has(name)
              ? 0.4
              : 0.2;
      spans.push({ start: run.index, end: end + given, kind: 'person', score, checked: isTitled ? 'title' : 'names' });
      break;
    }
  }
  return spans;
}

/** Prefectures and towns that are family names as well: alone they are a choice of a list. */
const JAPANESE_PLACES = new Set(
  '宮城 秋田 山形 福島 茨城 栃木 千葉 石川 福井 長野 香川 福岡 長崎 宮崎 山口 岡山 徳島 渋谷 品川 目黒 大宮 浜松 豊田 高松 松山 松本 松江 富山 金沢 熊本'.split(
    ' ',
  ),
);

/** How many characters after a family name are a given name, with the space before it. */
function givenAfter(after: string, given: ReadonlySet<string>, characters: ReadonlySet<string>): number {
  const space = /^[ \u3000]/u.test(after) ? 1 : 0;
  for (const length of [3, 2, 1]) {
    const part = after.slice(space, space + length);
    if (part.length !== length) continue;
    if (given.has(part)) return space + length;
    const isHan = /^\p{Script=Han}+$/u.test(part);
    const ends =
      !/^\p{Script=Han}/u.test(after.slice(space + length)) || HONORIFIC_JA.test(after.slice(space + length));
    if (isHan && ends && Array.from(part).every((character) => characters.has(character))) return space + length;
  }
  return 0;
}

const KOREAN_WORD = /\p{Script=Hangul}{2,}/gu;
const COMMON_KOREAN = new Set(
  '김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민나진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용',
);
const TITLE_KO =
  /^(?:님|씨|군|양|선생님|교수님|과장님?|부장님?|대리님?|사장님?|팀장님?|차장님?|이사님?|대표님?|사원|주임|박사|기자|의원)(?![가-힣]{3})/u;
const PARTICLE_KO = /^(?:은|는|이|가|을|를|의|과|와|에게|께|한테|이라고|입니다|님|씨|도|만)?(?![가-힣])/u;

function koreanNames(text: string): Span[] {
  const { koreanGiven, koreanSyllables } = getLists();
  const spans: Span[] = [];
  for (const match of text.matchAll(KOREAN_WORD)) {
    const word = match[0];
    if (!COMMON_KOREAN.has(word.charAt(0)) || word.length > 9) continue;
    const given = word.slice(1, 3);
    const rest = word.slice(3);
    const isTitled =
      TITLE_KO.test(rest) ||
      /^ (?:님|씨|선생님|교수|과장|부장|대리|사장|팀장|차장|이사|대표)/u.test(
        text.slice(match.index + 3, match.index + 8),
      );
    const isListed = koreanGiven.has(given);
    const isLike = given.length === 2 && Array.from(given).every((syllable) => koreanSyllables.has(syllable));
    const score =
      isListed && isTitled ? 0.85 : isListed && PARTICLE_KO.test(rest) ? 0.6 : isLike && isTitled ? 0.65 : 0;
    if (score > 0)
      spans.push({
        start: match.index,
        end: match.index + 3,
        kind: 'person',
        score,
        checked: isTitled ? 'title' : 'names',
      });
  }
  return spans;
}
