import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { openChromium } from './somebody.ts';
import { tellTheStory } from './story.ts';

describe('from the set-up link to the password alone, by pressing what people press', { concurrency: 2 }, () => {
  let browser: Browser;
  before(async () => {
    browser = await openChromium();
  });
  after(() => browser.close());

  test('with a mouse and with JavaScript', () => tellTheStory(browser, 'sqlite', {}));
  test('with JavaScript switched off', () => tellTheStory(browser, 'sqlite', { script: false }));
  test('with the keyboard alone', () => tellTheStory(browser, 'sqlite', { hand: 'keyboard' }));
  test('on PostgreSQL, with the keyboard alone and JavaScript switched off', () =>
    tellTheStory(browser, 'postgres', { hand: 'keyboard', script: false }));
});
