import { contextOf } from '../context.ts';
import { byStdnum, isDay, isVaried, isVerhoeff, weighted } from './checks.ts';
import { bank, company, health, id, licence, passport, tax } from './contexts.ts';
import type { DocumentType } from './document.ts';

const AUSTRALIA_AND_NEW_ZEALAND: readonly DocumentType[] = [
  {
    name: 'au_abn',
    kind: 'company_id',
    forms: ['11', '2_3_3_3'],
    pattern: /^[1-9]\d{10}$/u,
    check: byStdnum('AU', 'abn'),
    score: 0.4,
    grouped: 0.7,
    context: company('ABN', 'australian business'),
  },
  {
    name: 'au_acn',
    kind: 'company_id',
    forms: ['9', '3_3_3'],
    pattern: /^\d{9}$/u,
    check: byStdnum('AU', 'acn'),
    score: 0.2,
    grouped: 0.3,
    context: company('ACN', 'australian company'),
  },
  {
    name: 'au_tfn',
    kind: 'tax_id',
    forms: ['9', '3_3_3', '8', '2~3~3'],
    pattern: /^\d{8,9}$/u,
    check: (digits) => isVaried(digits) && byTfn(digits),
    score: 0.2,
    grouped: 0.3,
    context: tax('TFN'),
  },
  {
    name: 'au_medicare',
    kind: 'health_id',
    forms: ['10', '4_5_1', '4~5~1/1', '11', '4~5~1-1'],
    pattern: /^[2-6]\d{9,10}$/u,
    check: (digits) =>
      weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8]) && isVaried(digits.slice(0, 8)),
    score: 0.25,
    grouped: 0.5,
    context: health('medicare card', 'IRN'),
  },
  {
    name: 'nz_ird',
    kind: 'tax_id',
    forms: ['9', '8', '3_3_3', '2_3_3'],
    pattern: /^(?:1[0-5]\d|[1-9]\d)\d{6}$/u,
    check: byStdnum('NZ', 'ird'),
    score: 0.15,
    grouped: 0.25,
    context: tax('IRD'),
  },
  {
    name: 'nz_account',
    kind: 'bank_account',
    forms: ['2_4_7_2', '2_4_7_3', '15', '16'],
    pattern: /^\d{15,16}$/u,
    // The suffix has two digits or three.
    check: (digits) => byNewZealand(digits.length === 15 ? `${digits.slice(0, 13)}0${digits.slice(13)}` : digits),
    score: 0.25,
    grouped: 0.6,
    context: bank(),
  },
];

const byNewZealand = byStdnum('NZ', 'bank');
const byTfn = byStdnum('AU', 'tfn');

const INDIA_AND_NEIGHBOURS: readonly DocumentType[] = [
  {
    name: 'in_aadhaar',
    kind: 'national_id',
    forms: ['12', '4_4_4', '4:4:4'],
    pattern: /^[2-9]\d{11}$/u,
    // The library refuses palindromes and the like: nobody has those.
    check: (digits) => isVerhoeff(digits) && isVaried(digits),
    score: 0.3,
    grouped: 0.5,
    context: id('aadhaar', 'aadhar', 'uidai', 'आधार'),
  },
  {
    name: 'in_pan',
    kind: 'tax_id',
    forms: ['10'],
    pattern: /^[A-Z]{5}\d{4}[A-Z]$/u,
    // The fourth letter tells the kind of taxpayer: `P` is a person.
    check: (compact) => /^.{3}[ABCFGHJLPT]/u.test(compact) && !/0{4}/u.test(compact),
    lenient: true,
    score: 0.6,
    context: tax('PAN', 'permanent account'),
  },
  {
    name: 'in_pan_old',
    kind: 'tax_id',
    forms: ['10'],
    pattern: /^(?=.*\d{4})[A-Z0-9]{10}$/u,
    check: (compact) => /^[A-Z]{1,5}\d{4}[A-Z]{1,5}$/u.test(compact),
    score: 0.05,
    named: 0.4,
    context: contextOf(['PAN', 'permanent account']),
  },
  {
    name: 'in_gstin',
    kind: 'company_id',
    forms: ['15'],
    pattern: /^(?:0[1-9]|[12]\d|3[0-7]|9[79])[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[0-9A-Z]$/u,
    score: 0.8,
    named: 0.95,
    context: company('GSTIN', 'GST'),
  },
  {
    name: 'in_voter',
    kind: 'national_id',
    forms: ['10'],
    // Tickets of service desks are numbered so too (`INC0010023`).
    pattern: /^(?!INC|CHG|PRB|REQ|RIT|TSK|TKT|ORD|INV|RMA|DOC|REF|CAS|PRJ|JOB|BUG|SKU)[A-Z]{3}\d{7}$/u,
    score: 0.4,
    context: contextOf(['voter', 'vote', 'EPIC', 'elector', 'electoral']),
  },
  {
    name: 'in_passport',
    kind: 'passport',
    forms: ['8'],
    pattern: /^[A-Z][1-9]\d{5}[1-9]$/u,
    score: 0.1,
    context: passport(),
  },
  {
    name: 'in_driving_licence',
    kind: 'licence',
    forms: ['15', '4~11', '4-11', '2-13', '2-2-4-7', '13', '16'],
    pattern:
      /^(?:AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TN|TR|TS|UK|UP|WB)\d{2}(?:19|20)\d{9}$/u,
    score: 0.55,
    context: licence(),
  },
  {
    name: 'in_vehicle',
    kind: 'plate',
    forms: ['10', '9', '2-2-2-4', '2~2~2~4', '2-2-1-4', '2~2~1~4', '4~2~4', '2-1-2-4', '2~1~2~4'],
    pattern:
      /^(?:AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TN|TR|TS|UK|UP|WB)\d{1,2}(?:[A-Z]{1,3})\d{4}$/u,
    score: 0.5,
    context: contextOf([
      'vehicle',
      'registration number',
      'registration',
      'car',
      'bike',
      'RTO',
      'number plate',
      'plate',
    ]),
  },
  {
    name: 'in_vehicle_old',
    kind: 'plate',
    forms: ['6', '7'],
    pattern: /^(?:[A-Z]{2,3}\d{4}|[A-Z]\d{5})$/u,
    score: 0.1,
    named: 0.4,
    context: contextOf(['number plate', 'vehicle registration']),
  },
  {
    name: 'pk_cnic',
    kind: 'national_id',
    forms: ['5-7-1', '13'],
    pattern: /^[1-7]\d{12}$/u,
    check: byStdnum('PK', 'cnic'),
    score: 0.15,
    grouped: 0.6,
    context: id('CNIC', 'NICOP'),
  },
  {
    name: 'lk_nic',
    kind: 'national_id',
    forms: ['10', '12'],
    pattern: /^(?:\d{9}[VX]|(?:19|20)\d{10})$/u,
    check: (compact) => {
      const day = Number(compact.length === 12 ? compact.slice(4, 7) : compact.slice(2, 5)) % 500;
      return day >= 1 && day <= 366;
    },
    score: 0.35,
    context: contextOf(['NIC', 'national identity']),
  },
];

const CHINA_AND_TAIWAN: readonly DocumentType[] = [
  {
    name: 'cn_resident_id',
    kind: 'national_id',
    forms: ['18', '6~8~4'],
    pattern: /^[1-9]\d{5}(?:18|19|20)\d{9}[0-9X]$/u,
    check: isChinese,
    score: 0.9,
    context: id('身份证号', '身份证号码'),
  },
  {
    name: 'cn_credit_code',
    kind: 'company_id',
    forms: ['18'],
    pattern: /^[1-9ANY][1-359A]\d{6}[0-9A-HJ-NP-RT-UW-Y]{10}$/u,
    check: byStdnum('CN', 'uscc'),
    score: 0.6,
    context: company('统一社会信用代码'),
  },
  {
    name: 'cn_passport',
    kind: 'passport',
    forms: ['9'],
    pattern: /^(?:[EGDSPH]\d{8}|E[A-Z]\d{7})$/u,
    score: 0.1,
    context: passport(),
  },
  {
    name: 'tw_id',
    kind: 'national_id',
    forms: ['10'],
    pattern: /^[A-Z][1289A-D]\d{8}$/u,
    check: byStdnum('TW', 'natid'),
    score: 0.45,
    context: id('身分證', '身分證字號', '統一編號'),
  },
  {
    name: 'hk_id',
    kind: 'national_id',
    forms: ['8', '9', '7(1'],
    pattern: /^[A-Z]{1,2}\d{6}[0-9A]$/u,
    check: byStdnum('HK', 'hkid'),
    score: 0.35,
    context: id('HKID', '香港身份證'),
  },
];

/** Region, birth date, serial, check character (GB 11643, ISO 7064 MOD 11-2). */
function isChinese(compact: string): boolean {
  if (!isDay(compact.slice(10, 12), compact.slice(12, 14))) return false;
  const sum = weighted(compact, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
  return '10X98765432'[sum % 11] === compact[17];
}

const JAPAN_AND_KOREA: readonly DocumentType[] = [
  {
    name: 'jp_my_number',
    kind: 'national_id',
    forms: ['12', '4_4_4'],
    pattern: /^\d{12}$/u,
    check: isMyNumber,
    score: 0.25,
    grouped: 0.35,
    context: id('my number', 'マイナンバー', '個人番号'),
  },
  {
    name: 'jp_company',
    kind: 'company_id',
    forms: ['13', '1-4-4-4'],
    pattern: /^[1-9]\d{12}$/u,
    check: byStdnum('JP', 'cn'),
    score: 0.25,
    grouped: 0.6,
    context: company('法人番号'),
  },
  { name: 'jp_passport', kind: 'passport', forms: ['9'], pattern: /^[A-Z]{2}\d{7}$/u, score: 0.1, context: passport() },
  {
    name: 'kr_rrn',
    kind: 'national_id',
    forms: ['13', '6-7'],
    pattern: /^\d{6}[1-4]\d{6}$/u,
    check: (digits) => isKoreanBirth(digits) && isKorean(digits),
    score: 0.45,
    grouped: 0.6,
    context: id('RRN', '주민번호', '주민등록'),
  },
  {
    // Since October 2020 the last six digits are random: birth date and region's range must do.
    name: 'kr_rrn_new',
    kind: 'national_id',
    forms: ['13', '6-7'],
    pattern: /^\d{6}[1-4]\d{6}$/u,
    check: isKoreanBirth,
    score: 0.3,
    grouped: 0.5,
    context: id('RRN', '주민번호', '주민등록'),
  },
  {
    name: 'kr_frn',
    kind: 'national_id',
    forms: ['13', '6-7'],
    pattern: /^\d{6}[5-8]\d{6}$/u,
    check: (digits) => isKoreanBirth(digits),
    score: 0.3,
    grouped: 0.5,
    context: id('FRN', 'ARC', '외국인등록번호', '외국인'),
  },
  {
    name: 'kr_brn',
    kind: 'company_id',
    forms: ['10', '3-2-5'],
    pattern: /^\d{10}$/u,
    check: byStdnum('KR', 'brn'),
    score: 0.25,
    grouped: 0.6,
    context: company('BRN', '사업자번호', '사업자'),
  },
  {
    name: 'kr_licence',
    kind: 'licence',
    forms: ['12', '2-2-6-2', '2~2~6~2'],
    pattern: /^(?:1[1-9]|2[0-68])\d{10}$/u,
    score: 0.15,
    grouped: 0.6,
    context: licence(),
  },
  {
    name: 'kr_passport',
    kind: 'passport',
    forms: ['9'],
    pattern: /^[MSDROG]\d{3}[A-Z]\d{4}$|^[MSRODG]\d{8}$/u,
    score: 0.1,
    context: passport(),
  },
];

function isMyNumber(digits: string): boolean {
  const rest = weighted(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
  return isVaried(digits) && (rest <= 1 ? 0 : 11 - rest) === Number(digits[11]);
}

function isKoreanBirth(digits: string): boolean {
  return isDay(digits.slice(2, 4), digits.slice(4, 6));
}

/** The check digit of residents, and that of foreigners, which is two more. */
function isKorean(digits: string): boolean {
  const sum = weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
  return (11 - (sum % 11)) % 10 === Number(digits[12]);
}

const SOUTH_EAST: readonly DocumentType[] = [
  {
    name: 'sg_nric',
    kind: 'national_id',
    forms: ['9'],
    pattern: /^[STFGM]\d{7}[A-Z]$/u,
    check: isSingaporean,
    score: 0.6,
    context: id('NRIC', 'FIN'),
  },
  {
    name: 'sg_nric_unchecked',
    kind: 'national_id',
    forms: ['9'],
    pattern: /^[A-Z]\d{7}[A-Z]$/u,
    score: 0.2,
    named: 0.5,
    context: contextOf(['NRIC', 'FIN']),
  },
  {
    name: 'sg_uen',
    kind: 'company_id',
    forms: ['9', '10'],
    pattern: /^(?:\d{8,9}[A-Z]|[RST]\d{2}[A-Z]{2}\d{4}[A-Z])$/u,
    check: byStdnum('SG', 'uen'),
    score: 0.45,
    context: company('UEN'),
  },
  {
    name: 'my_nric',
    kind: 'national_id',
    forms: ['12', '6-2-4'],
    pattern: /^\d{12}$/u,
    check: (digits) => isDay(digits.slice(2, 4), digits.slice(4, 6)) && byMalaysia(digits),
    score: 0.25,
    grouped: 0.6,
    context: id('NRIC', 'MyKad', 'kad pengenalan', 'IC', 'no kp'),
  },
  {
    name: 'id_nik',
    kind: 'national_id',
    forms: ['16'],
    pattern: /^[1-9]\d{15}$/u,
    check: (digits) =>
      isDay(digits.slice(8, 10), String(Number(digits.slice(6, 8)) % 40)) &&
      /^(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-6])/u.test(digits),
    score: 0.35,
    context: id('NIK', 'KTP', 'nomor induk'),
  },
  {
    name: 'id_npwp',
    kind: 'tax_id',
    forms: ['15', '2.3.3.1-3.3'],
    pattern: /^\d{15}$/u,
    check: byStdnum('ID', 'npwp'),
    score: 0.25,
    grouped: 0.7,
    context: tax('NPWP'),
  },
  {
    name: 'th_id',
    kind: 'national_id',
    forms: ['13', '1_4_5_2_1'],
    pattern: /^[1-8]\d{12}$/u,
    check: (digits) =>
      /^[1-8](?!0)\d/u.test(digits) &&
      !/^\d(?:28|29|59|68|69|78|79|87|88|89|97|98|99)/u.test(digits) &&
      isVaried(digits) &&
      byThailand(digits),
    score: 0.3,
    grouped: 0.7,
    context: id('Thai', 'TNIN'),
  },
  {
    name: 'ph_tin',
    kind: 'tax_id',
    forms: ['9', '12', '14', '3_3_3', '3_3_3_3', '3_3_3_5'],
    pattern: /^\d{9}(?:\d{3}|\d{5})?$/u,
    check: isPhilippineTin,
    score: 0.05,
    grouped: 0.15,
    context: tax('BIR'),
  },
  {
    name: 'vn_tax',
    kind: 'tax_id',
    forms: ['10', '10-3', '13'],
    pattern: /^\d{10}(?:\d{3})?$/u,
    check: byStdnum('VN', 'mst'),
    score: 0.2,
    grouped: 0.5,
    context: tax('MST', 'mã số thuế'),
  },
  {
    name: 'vn_citizen_id',
    kind: 'national_id',
    forms: ['12'],
    pattern: /^0(?:0[1-9]|[1-8]\d|9[0-6])\d{9}$/u,
    score: 0.1,
    context: id('CCCD', 'CMND', 'căn cước'),
  },
];

const byMalaysia = byStdnum('MY', 'nric');
const byThailand = byStdnum('TH', 'idnr');

/** Weights, letters and offsets by the leading letter; `M` has been given since 2022. */
function isSingaporean(compact: string): boolean {
  const first = compact[0] ?? '';
  const sum = weighted(compact.slice(1, 8), [2, 7, 6, 5, 4, 3, 2]) + ('TG'.includes(first) ? 4 : first === 'M' ? 3 : 0);
  const letters = 'ST'.includes(first) ? 'JZIHGFEDCBA' : first === 'M' ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK';
  const index = first === 'M' ? 10 - (sum % 11) : sum % 11;
  return letters[index] === compact[8];
}

/** Eight digits with weights 9 to 2, modulo 11; then the check digit and the branch. */
function isPhilippineTin(digits: string): boolean {
  const sum = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2]);
  return sum % 11 === Number(digits[8]);
}

export const ASIA_PACIFIC: readonly DocumentType[] = [
  ...AUSTRALIA_AND_NEW_ZEALAND,
  ...INDIA_AND_NEIGHBOURS,
  ...CHINA_AND_TAIWAN,
  ...JAPAN_AND_KOREA,
  ...SOUTH_EAST,
];
