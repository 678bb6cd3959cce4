import { describe, expect, it } from 'vitest';
import { recognize } from '../../../src/privacy/recognizers/index.ts';

/** What looks personal by its form and is nobody's, each beside what has the same form and must be found. */
const PAIRS: readonly { readonly rule: string; readonly kept: readonly string[]; readonly found: readonly string[] }[] =
  [
    {
      rule: 'addresses that every machine has, and resolvers for all',
      kept: [
        'ping 127.0.0.1',
        'listening on 0.0.0.0:80',
        'http://[::1]:3000',
        'Netmask 255.255.255.0',
        '224.0.0.251',
        'DNS 8.8.8.8',
        '0.0.0.0/0',
        '::/0',
        '198.51.100.0/24',
        '2001:db8::/32',
        '::ffff:127.0.0.1',
      ],
      found: ['192.168.1.20', '203.0.113.7', '2001:db8::17', '8.8.8.9', '10.0.0.0/8', '12.7.0.1', 'fe80::1'],
    },
    {
      rule: 'mail addresses of nobody at no place',
      kept: [
        'Enter an email such as name@domain.com',
        'you@company.com',
        'vorname.nachname@beispiel.de',
        'first.last@example.com',
        'root@localhost:~#',
        'user@host:~$',
        'git clone git@github.com:nodejs/node.git',
        'uses: actions/checkout@v4',
        'uses: actions/checkout@v{n}',
      ],
      found: ['ana@example.com', 'ana@localhost', 'name@kovac.hr', 'root@db7', 'you@gmail.com', 'git@kovac.hr'],
    },
    {
      rule: 'digits after C++, of books, of orders and tickets',
      kept: [
        'Visual C++ 2015-2022 Redistributable (x64) - 14.38.33135',
        'ISBN 0-306-40615-2',
        'P/N 0123-4567-89',
        'hex encoding (RFC4648 section 8)',
        'Order #112-3456789-0123456',
        'INC0010023',
        'CHG0030005',
        'Faktura VAT 12/05/2024.pdf',
      ],
      found: [
        '+49 30 901820',
        'Tel. 0-306-40615-2',
        '3456 7890 1234 56',
        'ABC0010023',
        'VAT number 12345678.pdf',
        'RFC: 4648123456',
      ],
    },
    {
      rule: 'long names of files, and ids that begin with the time',
      kept: ['Win11_23H2_English_x64v2.iso', '01HXYZ8J3Q4M5N6P7R8S9TABCD'],
      found: ['Wq11_2kH2_EnxZlish_9x64v2Q', '81HXYZ8J3Q4M5N6P7R8S9TABCD'],
    },
    {
      rule: 'how long a password must be',
      kept: ['パスワード：8文字以上', '密码：至少8个字符', '密码：6-20位', '密码：至少{n}个字符'],
      found: ['パスワード：8moji!xyz', '密码：至少hx88'],
    },
    {
      rule: 'placeholders of secrets',
      kept: [
        'export API_KEY=your_api_key_here',
        'curl -u user:password http://localhost',
        "Access denied for user 'root'@'localhost' (using password: YES)",
      ],
      found: ['export API_KEY=yourapi7788xq', 'curl -u ana:password http://localhost', 'password: YES7)'],
    },
    {
      rule: 'a share of any server',
      kept: ['\\\\server\\share\\public', 'smb://server/resource/file.txt'],
      found: ['\\\\server7\\share\\public', 'smb://server7/resource/file.txt'],
    },
  ];

describe('forms that are nobody’s', () => {
  it.each(PAIRS)('$rule', ({ kept, found }) => {
    expect(kept.filter((text) => recognize(text).length > 0)).toEqual([]);
    expect(found.filter((text) => recognize(text).length === 0)).toEqual([]);
  });
});
