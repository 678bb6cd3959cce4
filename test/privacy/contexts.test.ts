import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContextRule } from '../../src/privacy/contexts.ts';

const excluded = createContextRule({
  contexts: {
    unknown: 'keep',
    private: 'exclude',
    excludeApps: ['Slack', '1Password', 'Schlüsselbund', '钉钉'],
    excludeHosts: ['paypal.com', 'nhs.uk', 'xn--mller-kva.de'],
    excludeTitles: ['payslip', 'private browsing', 'arrêt maladie', 'Grève', 'zażółć łódź', '银行'],
  },
});
const PLACE = { app: 'Google Chrome', title: 'Report.xlsx - Excel', url: '', private: false };

describe('a context is excluded', () => {
  it('when the window is private, and not otherwise', () => {
    expect(excluded({ ...PLACE, private: true })).toBe(true);
    expect(excluded(PLACE)).toBe(false);
    expect(excluded({ app: '', title: '', url: '', private: false })).toBe(false);
  });

  it.each([
    'Slack',
    'SLACK',
    'slack.exe',
    'Slack.app',
    'C:\\Program Files\\Slack\\slack.exe',
    '/usr/bin/slack',
    'Slack (2)',
    'Slack - general',
    '1Password',
    '1Password 8',
    '1password.exe',
    'Schlusselbund',
    'SCHLÜSSELBUND',
    'S\u200black',
    'slack-4.38',
    'Slack v4',
    '钉钉',
  ])('by its app %j', (app) => {
    expect(excluded({ ...PLACE, app })).toBe(true);
  });

  it.each(['Slackline', 'Notepad', 'My Slack notes', 'slackware.exe'])('but not by its app %j', (app) => {
    expect(excluded({ ...PLACE, app })).toBe(false);
  });

  it.each([
    'Payslip 2024',
    'my PAYSLIP.pdf - Acrobat',
    'Firefox (Private Browsing)',
    'arret maladie',
    'ARRÊT MALADIE',
    'greve',
    'Pay\u200bslip',
    'zazolc lodz',
    'private  -  browsing',
    '网上银行登录',
    'general | Slack',
    'random - Slack',
  ])('by its title %j', (title) => {
    expect(excluded({ ...PLACE, title })).toBe(true);
  });

  it.each(['payslips are not listed', 'private', 'browsing private', 'how slack teams work', ''])(
    'but not by its title %j',
    (title) => {
      expect(excluded({ ...PLACE, title })).toBe(false);
    },
  );

  it.each([
    'https://paypal.com',
    'https://www.paypal.com/x',
    'http://PAYPAL.com:8443/',
    'https://paypal.com./x',
    'https://a.b.paypal.com..',
    'https://user:pw@paypal.com/',
    'https://example.com@paypal.com/',
    'https:\\\\paypal.com\\x',
    'https:paypal.com',
    '//paypal.com/x',
    'https://ｐａｙｐａｌ.com/',
    'https://pay%70al.com/',
    'paypal.com/x',
    'paypal.com:443/x',
    ' https://paypal.com',
    'https://pay\tpal.com',
    'view-source:https://paypal.com/',
    'blob:https://paypal.com/1-2',
    'https://müller.de',
    'https://MÜLLER.de',
    'https://patient.nhs.uk',
    'https://pay\u00adpal.com/',
    'https://paypal。com/',
  ])('by its address %j', (url) => {
    expect(excluded({ ...PLACE, url })).toBe(true);
  });

  it.each([
    'https://',
    'http://a b/',
    'https://[::1',
    'not a url',
    'https://%zz/',
    'https://.../',
    'about:logins',
    'chrome://password-manager/passwords',
    'chrome://settings/passwords',
    'chrome-extension://abc/popup.html',
    'moz-extension://abc/',
    'data:text/html,hi',
    'javascript:alert(1)',
    'mailto:jane@example.com',
    'tel:1',
    'unknown-app://x',
    'view-source:view-source:view-source:view-source:view-source:https://example.com',
  ])('because its address %j cannot be understood or belongs to the person', (url) => {
    expect(excluded({ ...PLACE, url })).toBe(true);
  });

  it.each([
    'https://example.com/',
    'https://notpaypal.com',
    'https://paypal.com.example.org/',
    'https://example.org/?next=https://paypal.com',
    'https://paypal.com@example.org/',
    'example.org/a',
    'localhost:3000/x',
    'http://127.0.0.1/',
    'http://[::1]:80/',
    'http://.example.org/',
    'file:///home/x/Report.pdf',
    'about:blank',
    'chrome://newtab/',
    'chrome://new-tab-page',
    'edge://settings/',
    'https://uk/',
  ])('but not by its address %j', (url) => {
    expect(excluded({ ...PLACE, url })).toBe(false);
  });
});

describe('whatever the context', () => {
  it('the rule answers, and a listed host is never hidden by what stands around it', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/u);
    fc.assert(
      fc.property(
        fc.array(part, { maxLength: 3 }),
        fc.option(part),
        fc.webPath(),
        fc.boolean(),
        (labels, user, path, upper) => {
          const host = [...labels, 'paypal.com'].join('.');
          const url = `https://${user === null ? '' : `${user}@`}${upper ? host.toUpperCase() : host}${path}`;
          expect(excluded({ ...PLACE, url })).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(text, text, text, (app, title, url) => {
        expect(typeof excluded({ app, title, url, private: false })).toBe('boolean');
      }),
      { numRuns: 1000 },
    );
  });
});
