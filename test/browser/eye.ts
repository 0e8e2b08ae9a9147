import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright-core';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/** What of them depends on colours. Dark is the same page in other colours: all else would be said of it twice. */
const RULES_OF_COLOUR = ['color-contrast', 'link-in-text-block'];
const VIEWS = (['light', 'dark'] as const).flatMap((scheme) => [320, 1280].map((width) => ({ scheme, width })));
/** Where to put a picture of everything that was looked at, for people to look at too. */
const ALBUM = process.env['TEST_ALBUM'];

/** What is measured in the page. Links within a sentence are as high as their line, and axe judges the room around them. */
const MEASURE = `(() => {
  const shown = (it) => it.checkVisibility({ visibilityProperty: true }) && it.getBoundingClientRect().width > 0;
  const targets = [...document.querySelectorAll('a, button, input, select, textarea, summary, [role=menuitem]')];
  const inLine = (it) => it.matches('a') && getComputedStyle(it).display === 'inline';
  const small = targets.filter((it) => shown(it) && !inLine(it) && !it.closest('.skip')).filter((it) => {
    const { width, height } = it.getBoundingClientRect();
    return width < 24 || height < 24;
  });
  return {
    title: document.title,
    h1: [...document.querySelectorAll('h1')].map((it) => it.textContent.trim().replace(/\\s+/g, ' ')),
    lang: document.documentElement.lang,
    dir: document.documentElement.dir,
    sideways: document.documentElement.scrollWidth - innerWidth,
    small: small.map((it) => it.outerHTML.slice(0, 120)),
    summary: document.querySelector('[data-errors]') !== null,
    focused: document.activeElement.matches('[data-errors]'),
  };
})()`;

interface Measured {
  readonly title: string;
  readonly h1: readonly string[];
  readonly lang: string;
  readonly dir: string;
  readonly sideways: number;
  readonly small: readonly string[];
  readonly summary: boolean;
  readonly focused: boolean;
}

export interface Sight {
  /** The page tells of something that went wrong. */
  readonly error?: boolean;
  /** Whose name stands behind the H1 in the title. */
  readonly merchant?: string;
}

/** Looks at pages in light and dark, narrow and wide, and keeps all that is wrong until the end. */
export class Eye {
  readonly #flaws: string[] = [];
  readonly #titles = new Map<string, string>();

  /** Looks at the page as it stands; `name` says which state of it this is. */
  async looksAt(page: Page, name: string, { error = false, merchant = 'Acme Billing' }: Sight = {}): Promise<void> {
    const found = await page.evaluate<Measured>(MEASURE);
    this.#judgeTitle(page, name, found, error, merchant);
    if (found.lang !== 'en' || found.dir !== 'ltr') this.#flaw(name, `lang "${found.lang}", dir "${found.dir}"`);
    if (found.summary && !found.focused) this.#flaw(name, 'the focus is not on the error summary');
    for (const { scheme, width } of VIEWS) await this.#looksIn(page, name, scheme, width);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 800 });
  }

  async #looksIn(page: Page, name: string, scheme: 'light' | 'dark', width: number): Promise<void> {
    const view = `${name}, ${scheme}, ${width} wide`;
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 800 });
    if (ALBUM) await page.screenshot({ path: `${ALBUM}/${view}.png`, fullPage: true });
    const { sideways, small } = await page.evaluate<Measured>(MEASURE);
    if (sideways > 0) this.#flaw(view, `the page scrolls ${sideways} px sideways`);
    for (const target of small) this.#flaw(view, `smaller than 24 px: ${target}`);
    const axe = new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).setLegacyMode();
    const asked = scheme === 'dark' ? axe.withRules(RULES_OF_COLOUR) : axe.withTags(RULES);
    const { violations } = await asked.analyze();
    for (const { id, nodes } of violations) this.#flaw(view, `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  #judgeTitle(page: Page, name: string, { title, h1 }: Measured, error: boolean, merchant: string): void {
    const [heading] = h1;
    if (h1.length !== 1) this.#flaw(name, `${h1.length} main headings`);
    const wanted = `${error ? 'Error: ' : ''}${heading} – ${merchant}`;
    if (title !== wanted) this.#flaw(name, `the title is "${title}" and not "${wanted}"`);
    const { pathname } = new URL(page.url());
    const other = this.#titles.get(title) ?? pathname;
    this.#titles.set(title, pathname);
    if (other !== pathname && !error) this.#flaw(name, `"${title}" is also the title of ${other}`);
  }

  #flaw(view: string, text: string): void {
    this.#flaws.push(`${view}: ${text}`);
  }

  /** Fails with all that was wrong. */
  closes(): void {
    assert.deepEqual(this.#flaws, []);
  }
}
