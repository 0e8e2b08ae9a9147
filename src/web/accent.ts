/** What a theme makes of a merchant's colour: as a link and as the one filled button, and both under the pointer. */
export interface Shade {
  readonly accent: string;
  readonly deep: string;
  /** The text on the filled button. */
  readonly on: string;
  /** How far the lightness had to move: 0 for a colour that is used as it is, 1 from black to white. */
  readonly moved: number;
}

export interface Palette {
  readonly light: Shade;
  readonly dark: Shade;
}

/** WCAG 2.2, success criterion 1.4.3. */
export const CONTRAST_MIN = 4.5;

/** Where the colour is read, as sallyport.css has it, and where its lightness goes until it is read well. */
const THEMES = {
  light: { behind: ['#f3f1ea', '#fffefa'], on: '#ffffff', end: 0 },
  dark: { behind: ['#131817', '#1b2221'], on: '#131817', end: 1 },
} as const;

export type Theme = keyof typeof THEMES;

/**
 * Finds the colours nearest to `accent` that reach 4.5:1 in both themes: as text on background and surface, and as a
 * fill with text on it. Only the lightness moves; hue and, as far as the screen has room, colourfulness stay (OKLCH).
 * A colour that reaches it is left as it is. `accent`: `#rrggbb` in small letters.
 */
export function paletteOf(accent: string): Palette {
  return { light: shadeOf(accent, 'light'), dark: shadeOf(accent, 'dark') };
}

/** All that stands behind or on the colour in a theme. */
export function neighboursOf(theme: Theme): readonly string[] {
  return [...THEMES[theme].behind, THEMES[theme].on];
}

const STEPS = 200;
/** How much further a link goes under the pointer. */
const DEEPER = 0.25;

function shadeOf(accent: string, theme: Theme): Shade {
  const { on, end } = THEMES[theme];
  const start = lchOf(accent);
  const at = (part: number, from = start.lightness): number => from + (end - from) * part;
  let part = 0;
  let found = accent;
  while (!reaches(found, theme) && part < 1) {
    part += 1 / STEPS;
    found = hexOf({ ...start, lightness: at(Math.min(part, 1)) });
  }
  const deep = hexOf({ ...start, lightness: at(DEEPER, at(Math.min(part, 1))) });
  const moved = Math.abs(at(Math.min(part, 1)) - start.lightness);
  return { accent: found, deep: reaches(deep, theme) ? deep : found, on, moved };
}

function reaches(colour: string, theme: Theme): boolean {
  return neighboursOf(theme).every((other) => contrast(colour, other) >= CONTRAST_MIN);
}

/** The contrast ratio of two colours, 1 to 21 (WCAG 2.2). */
export function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative luminance (WCAG 2.2), 0 black to 1 white. */
function luminance(colour: string): number {
  const [red, green, blue] = linear(colour);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

type Triple = readonly [number, number, number];

/** The light of each channel, from its sRGB value. */
function linear(colour: string): Triple {
  const channel = (at: number): number => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

interface Lch {
  readonly lightness: number;
  readonly chroma: number;
  /** Radians. */
  readonly hue: number;
}

/** OKLCH as in CSS Color 4: lightness as the eye has it, so that a yellow does not turn green on its way to dark. */
export function lchOf(colour: string): Lch {
  const [r, g, b] = linear(colour);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  const green = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const blue = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return {
    lightness: 0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    chroma: Math.hypot(green, blue),
    hue: Math.atan2(blue, green),
  };
}

function linearOf({ lightness, chroma, hue }: Lch): Triple {
  const green = chroma * Math.cos(hue);
  const blue = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * green + 0.2158037573 * blue) ** 3;
  const m = (lightness - 0.1055613458 * green - 0.0638541728 * blue) ** 3;
  const s = (lightness - 0.0894841775 * green - 1.291485548 * blue) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The colour that a screen can show: as colourful as it has room for at this lightness. */
function hexOf(lch: Lch): string {
  const fits = (chroma: number): boolean => linearOf({ ...lch, chroma }).every((value) => value >= 0 && value <= 1);
  let [room, excess] = fits(lch.chroma) ? [lch.chroma, lch.chroma] : [0, lch.chroma];
  for (let halving = 0; halving < 12 && room < excess; halving++) {
    const middle = (room + excess) / 2;
    if (fits(middle)) room = middle;
    else excess = middle;
  }
  return `#${linearOf({ ...lch, chroma: room })
    .map(byteOf)
    .join('')}`;
}

function byteOf(light: number): string {
  const value = light <= 0.0031308 ? light * 12.92 : 1.055 * light ** (1 / 2.4) - 0.055;
  const byte = Math.round(Math.min(1, Math.max(0, value)) * 255);
  return byte.toString(16).padStart(2, '0');
}
