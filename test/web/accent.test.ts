import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { contrast, CONTRAST_MIN, lchOf, neighboursOf, paletteOf, type Theme } from '../../src/web/accent.ts';
import { themeOf } from '../../src/web/theme.ts';

const THEMES: readonly Theme[] = ['light', 'dark'];
const colour = fc.nat(0xffffff).map((value) => `#${value.toString(16).padStart(6, '0')}`);

/** An independent reading of WCAG 2.2, with the threshold of its first edition. */
function ratio(one: string, other: string): number {
  const [a, b] = [light(one) + 0.05, light(other) + 0.05];
  return a > b ? a / b : b / a;
}

function light(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const value = Number(`0x${hex.slice(at, at + 2)}`) / 255;
    return value <= 0.03928 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
  });
  return r * 0.2126 + g * 0.7152 + b * 0.0722;
}

test('contrast is as WCAG counts it', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.equal(contrast('#777777', '#777777'), 1);
  assert.equal(contrast('#767676', '#ffffff').toFixed(2), '4.54');
  assert.equal(contrast('#ffffff', '#0000ff').toFixed(2), '8.59');
  fc.assert(
    fc.property(colour, colour, (one, other) => assert.ok(Math.abs(contrast(one, other) - ratio(one, other)) < 1e-9)),
  );
});

test('whatever colour a merchant has, every pair of it reaches 4.5:1 in light and in dark', () => {
  fc.assert(
    fc.property(colour, (accent) => {
      const palette = paletteOf(accent);
      for (const theme of THEMES) {
        const { accent: used, deep, on } = palette[theme];
        for (const other of [...neighboursOf(theme), on])
          for (const own of [used, deep]) assert.ok(ratio(own, other) >= CONTRAST_MIN, `${own} and ${other}`);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('a colour that reaches it is used as it is, and another moves no further than it must', () => {
  fc.assert(
    fc.property(colour, (accent) => {
      const palette = paletteOf(accent);
      for (const theme of THEMES) {
        const { accent: used, moved } = palette[theme];
        const good = neighboursOf(theme).every((other) => ratio(accent, other) >= CONTRAST_MIN);
        assert.equal(used === accent, good, `${accent} on ${theme}`);
        assert.equal(moved === 0, good);
        const tight = Math.min(...neighboursOf(theme).map((other) => ratio(used, other)));
        assert.ok(good || tight < CONTRAST_MIN + 0.35, `${accent} became ${used}, ${tight}:1`);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('the hue stays: a yellow does not turn green, nor a grey anything', () => {
  fc.assert(
    fc.property(colour, (accent) => {
      const before = lchOf(accent);
      for (const theme of THEMES) {
        const after = lchOf(paletteOf(accent)[theme].accent);
        assert.ok(after.chroma <= before.chroma + 0.01, `${accent} became more colourful`);
        // Where there is hardly any colour, whole bytes have no room for a hue.
        if (Math.min(before.chroma, after.chroma) < 0.04) continue;
        const turn = Math.abs(Math.atan2(Math.sin(before.hue - after.hue), Math.cos(before.hue - after.hue)));
        assert.ok(turn < 0.09, `${accent} turned by ${turn}`);
      }
    }),
    { numRuns: 5_000 },
  );
});

test('the neighbours that are reckoned with are those of the style sheet', () => {
  const css = readFileSync(join(import.meta.dirname, '../../src/web/assets/sallyport.css'), 'utf8');
  const pairs = ['background', 'surface'].map((name) =>
    new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(css),
  );
  assert.deepEqual(
    neighboursOf('light').slice(0, 2),
    pairs.map((pair) => pair?.[1]),
  );
  assert.deepEqual(
    neighboursOf('dark').slice(0, 2),
    pairs.map((pair) => pair?.[2]),
  );
});

test('a style sheet has nothing in it but the colours, and an address that changes with them', () => {
  fc.assert(
    fc.property(colour, (accent) => {
      const sheet = themeOf({ slug: 'acme', accent });
      assert.ok(sheet);
      assert.match(sheet.css, /^\.branded \{\n(?: {2}--[a-z-]+: light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\);\n){3}\}\n$/);
      assert.equal(sheet.href, `/portal/acme/theme.css?v=${sheet.hash}`);
    }),
  );
  assert.notEqual(
    themeOf({ slug: 'acme', accent: '#0f5a63' })?.hash,
    themeOf({ slug: 'acme', accent: '#0f5a65' })?.hash,
  );
  assert.equal(themeOf({ slug: 'acme', accent: null }), undefined);
});
