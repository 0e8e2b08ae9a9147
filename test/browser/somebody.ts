import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';

/** The little of a page's own world that is spoken of here. */
interface PageElement {
  readonly href?: string;
  readonly type?: string;
  readonly role: string | null;
  readonly outerHTML: string;
  decode?(): Promise<void>;
}
declare const document: { readonly activeElement: PageElement | null };
declare function getComputedStyle(element: PageElement): { readonly outlineStyle: string };

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
];

/** Chromium or Chrome, as it was found on this machine. Close it. */
export function openChromium(): Promise<Browser> {
  const executablePath = process.env['TEST_CHROMIUM'];
  assert.ok(executablePath, 'TEST_CHROMIUM is not set: run the tests with npm test');
  return chromium.launch({ executablePath, args: FLAGS });
}

export interface Seat {
  /** Whether the browser runs scripts. */
  readonly script?: boolean;
  readonly hand?: 'mouse' | 'keyboard';
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
}

/**
 * A person at a browser of their own, who finds things by the words on them and has a mouse or only a keyboard. What a
 * page complains of, and every request that leaves this machine, fails the test at the end.
 */
export class Somebody {
  readonly #complaints: string[] = [];
  readonly #consoled: { text: string; url: string }[] = [];
  readonly #pages = new Set<string>();
  readonly #hand: 'mouse' | 'keyboard';
  #page: Page;

  private constructor(page: Page, hand: 'mouse' | 'keyboard') {
    this.#page = page;
    this.#hand = hand;
    this.context.on('request', (request) => {
      this.#watchRequest(request.url());
      if (request.isNavigationRequest()) this.#pages.add(request.url());
    });
    this.context.on('weberror', (fault) => this.#complaints.push(`script: ${fault.error().message}`));
    this.context.on('console', (message) => {
      if (message.type() === 'error') this.#consoled.push({ text: message.text(), url: message.location().url });
    });
  }

  static async at(browser: Browser, seat: Seat = {}): Promise<Somebody> {
    const { script = true, hand = 'mouse', scheme = 'light', width = 1280, height = 800, scale = 1 } = seat;
    const context = await browser.newContext({
      javaScriptEnabled: script,
      colorScheme: scheme,
      viewport: { width, height },
      deviceScaleFactor: scale,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    context.setDefaultTimeout(10_000);
    return new Somebody(await context.newPage(), hand);
  }

  get page(): Page {
    return this.#page;
  }

  get context(): BrowserContext {
    return this.#page.context();
  }

  /** The path that the browser stands at. */
  get path(): string {
    return new URL(this.#page.url()).pathname;
  }

  async go(url: string): Promise<void> {
    await this.#page.goto(url);
  }

  /** Closes the tab and opens another: cookies stay, the page is gone. */
  async takesAnotherTab(): Promise<void> {
    const tab = await this.context.newPage();
    await this.#page.close();
    this.#page = tab;
  }

  /** Waits for the page with exactly this heading. */
  async arrives(heading: string): Promise<void> {
    const wanted = this.#page.getByRole('heading', { level: 1, name: heading, exact: true });
    await wanted.waitFor().catch(async () => {
      const found = await this.#page.locator('h1').allTextContents();
      assert.fail(`expected the page "${heading}" and stand at ${this.path} before "${found.join(' ').trim()}"`);
    });
  }

  /** Waits until all of these can be read on the page. */
  async sees(...texts: string[]): Promise<void> {
    for (const text of texts) {
      const found = this.#page.getByText(text).filter({ visible: true }).first();
      await found.waitFor().catch(() => assert.fail(`"${text}" is not to be read at ${this.path}`));
    }
  }

  async seesNot(text: string): Promise<void> {
    assert.equal(await this.#page.getByText(text).filter({ visible: true }).count(), 0, `"${text}" stands there`);
  }

  /** Presses the button, link, menu entry or disclosure that bears exactly these words. Several may only lead to one place. */
  async press(words: string): Promise<void> {
    const targets = this.pressable(words);
    await targets
      .first()
      .waitFor()
      .catch(() => assert.fail(`there is no "${words}" to press at ${this.path}`));
    const places = await targets.evaluateAll((all: PageElement[]) => all.map((it) => it.href ?? it.outerHTML));
    assert.equal(new Set(places).size, 1, `several things are called "${words}" at ${this.path}`);
    await this.#act(targets.first(), 'Enter');
  }

  pressable(words: string): Locator {
    const named = { name: words, exact: true };
    const summary = this.#page.locator('summary');
    return this.#page
      .getByRole('button', named)
      .or(this.#page.getByRole('link', named))
      .or(this.#page.getByRole('menuitem', named))
      .or(summary.and(this.#page.getByLabel(words, { exact: true })))
      .or(summary.and(this.#page.getByText(words, { exact: true })))
      .filter({ visible: true });
  }

  /** Marks or unmarks a checkbox, or chooses a radio button. */
  async mark(label: string): Promise<void> {
    await this.#act(this.#page.getByLabel(label, { exact: true }), 'Space');
  }

  /** Writes into the field that is labelled so, over what stands there. */
  async write(label: string, text: string): Promise<void> {
    const field = this.#page.getByLabel(label, { exact: true });
    if (this.#hand === 'mouse') return field.fill(text);
    await this.reach(field);
    await this.#page.keyboard.press('Control+A');
    await this.#page.keyboard.insertText(text);
  }

  async #act(target: Locator, key: 'Enter' | 'Space'): Promise<void> {
    if (this.#hand === 'mouse') return target.click();
    await target.waitFor();
    await this.reach(target);
    await this.#page.keyboard.press(key);
  }

  /** Goes on with Tab, or within an open menu or a group of radio buttons with the arrow, until the target has the focus. */
  async reach(target: Locator): Promise<void> {
    for (let stops = 0; stops < 80; stops++) {
      const focus = await target.evaluate(focusSeenFrom);
      if (focus === 'here') return;
      assert.notEqual(focus, 'here, unseen', 'one cannot see where the focus is');
      await this.#page.keyboard.press(focus === 'among its like' ? 'ArrowDown' : 'Tab');
    }
    assert.fail(`the keyboard never comes to ${target.toString()}`);
  }

  /** What a camera reads off the screen. */
  async scansTheScreen(): Promise<string> {
    await this.#page.locator('img').evaluate((it: PageElement) => it.decode?.());
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-camera-'));
    try {
      const picture = join(folder, 'screen.png');
      writeFileSync(picture, await this.#page.screenshot());
      const program = process.env['TEST_ZBARIMG'] ?? 'zbarimg';
      return execFileSync(program, ['--quiet', '--raw', picture], { encoding: 'utf8', stdio: 'pipe' }).trim();
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Closes the browser. Anything the pages complained of is a failure. */
  async leaves(): Promise<void> {
    await this.context.close();
    // A refused answer is a page with a status, which Chromium also writes to the console.
    const refused = ({ text, url }: { text: string; url: string }): boolean =>
      text.startsWith('Failed to load resource') && this.#pages.has(url);
    const said = this.#consoled.filter((line) => !refused(line)).map(({ text }) => `console: ${text}`);
    assert.deepEqual([...this.#complaints, ...said], []);
  }

  #watchRequest(url: string): void {
    const { hostname, protocol } = new URL(url);
    if (protocol !== 'data:' && hostname !== 'localhost') this.#complaints.push(`request: ${url}`);
  }
}

/** Where the focus is, seen from an element. Runs in the page. Menu entries and radio buttons are walked with the arrows. */
function focusSeenFrom(it: PageElement): 'here' | 'here, unseen' | 'among its like' | 'elsewhere' {
  const { activeElement } = document;
  if (activeElement === it) return getComputedStyle(it).outlineStyle === 'none' ? 'here, unseen' : 'here';
  const alike = activeElement?.role === 'menuitem' || (it.type === 'radio' && activeElement?.type === 'radio');
  return alike ? 'among its like' : 'elsewhere';
}
