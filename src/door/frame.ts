import { logoImage, themeOf } from '../web/theme.ts';
import { say, type Key } from '../words/say.ts';
import type { Html, Locale } from '../web/components.ts';
import type { Door } from '../web/guards.ts';
import { portalPage, type PortalPage } from '../web/layout.ts';

type Page = Omit<PortalPage, 'merchant' | 'base' | 'help'>;

/** A page of either door: the merchant's name where it is known, the product's own at the console's. */
export function doorPage(door: Door, page: Page): Html {
  const { organization, base, surface } = door;
  const brand = surface === 'admin' ? undefined : organization;
  const merchant = {
    name: nameAt(door),
    logo: brand && logoImage(brand),
    theme: brand && themeOf(brand)?.href,
  };
  const help = surface === 'admin' ? say('page.help.staff') : (organization?.contactDetails ?? '');
  return portalPage({ ...page, merchant, base, help });
}

/** What stands for {m} in the words of a door's pages. */
export function nameAt(door: Door): string {
  return door.organization?.name ?? 'Sallyport';
}

/** In whose time and language moments are told. */
export function localeAt(door: Door): Locale {
  return door.organization ?? { timeZone: 'UTC', language: 'en' };
}

/** The words of a page where staff have to be told something else than customers. */
export function sayAt(door: Door, key: StaffKey): string {
  return door.surface === 'admin' ? say(`${key}.staff`) : say(key, { m: nameAt(door) });
}

type StaffKey = { [K in Key]: `${K}.staff` extends Key ? K : never }[Key];
