import { createHash } from 'node:crypto';
import type { Organization } from '../accounts/organizations.ts';
import { paletteOf, type Palette } from './accent.ts';
import type { Html } from './components.ts';
import { attr } from './fields.ts';
import { html } from 'hono/html';

/** A merchant's colour as a style sheet, whose address changes with its content. */
export interface ThemeSheet {
  readonly css: string;
  readonly hash: string;
  readonly href: string;
}

/**
 * The style sheet of an organization; undefined where it has Sallyport's own colours. It dresses what has the class
 * `branded`: the body of a portal's pages, and the examples in the console. Everything in it is computed: of what
 * somebody typed, six hexadecimal digits remain.
 */
export function themeOf({ slug, accent }: Pick<Organization, 'slug' | 'accent'>): ThemeSheet | undefined {
  if (accent === null) return undefined;
  const css = sheet(paletteOf(accent));
  const hash = createHash('sha256').update(css).digest('hex').slice(0, 12);
  return { css, hash, href: `/portal/${slug}/theme.css?v=${hash}` };
}

function sheet({ light, dark }: Palette): string {
  return `.branded {
  --accent: light-dark(${light.accent}, ${dark.accent});
  --accent-deep: light-dark(${light.deep}, ${dark.deep});
  --on-accent: light-dark(${light.on}, ${dark.on});
}
`;
}

const LOGO_ROOM = { width: 160, height: 40 };

/** A merchant's logo in its place, with the size that it takes there, so that nothing moves when it arrives. */
export function logoImage({ slug, name, logoHash, logoWidth, logoHeight }: Organization, alt = name): Html | undefined {
  if (logoHash === null || logoWidth === null || logoHeight === null) return undefined;
  const scale = Math.min(1, LOGO_ROOM.width / logoWidth, LOGO_ROOM.height / logoHeight);
  const side = (pixels: number): number => Math.max(1, Math.round(pixels * scale));
  return html`<img
    class="logo"
    src="/portal/${slug}/logo?v=${logoHash}"
    alt="${alt}"
    ${attr('width', side(logoWidth))}${attr('height', side(logoHeight))}
  />`;
}
