import { expect, it } from 'vitest';
import { describeWithChromium, launchChromium } from './chromium.ts';

describeWithChromium('the Chromium of the tests', () => {
  it('opens pages that know nothing of each other, and tells what they write and throw', async () => {
    const browser = await launchChromium();
    try {
      const [one, other] = [await browser.newPage(), await browser.newPage()];
      await one.page.setContent('<title>one</title><script>console.warn("hello"); throw new Error("oh")</script>');
      expect([await one.page.title(), await other.page.title()]).toEqual(['one', '']);
      expect([one.console, other.console]).toEqual([['warning: hello', 'thrown: oh'], []]);
      await one.close();
      expect(await other.page.evaluate('1 + 1')).toBe(2);
    } finally {
      await browser.close();
    }
  });

  it('reaches nothing but the loopback interface', async () => {
    const browser = await launchChromium();
    try {
      const { page } = await browser.newPage();
      await expect(page.goto('http://example.org/')).rejects.toThrow('ERR_NAME_NOT_RESOLVED');
    } finally {
      await browser.close();
    }
  });
});
