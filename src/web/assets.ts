import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

/** How long an address that names its content may be kept. */
export const FOR_EVER = 'public, max-age=31536000, immutable';

export type Asset = { body: Uint8Array<ArrayBuffer>; type: string };

const FOLDER = join(import.meta.dirname, 'assets');
const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const urls = new Map<string, string>();
const assets = new Map<string, Asset>();

for (const name of readdirSync(FOLDER)) {
  const extension = extname(name);
  const type = TYPES[extension];
  if (!type) continue;
  const body = new Uint8Array(readFileSync(join(FOLDER, name)));
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 12);
  const url = `/assets/${name.slice(0, -extension.length)}-${hash}${extension}`;
  urls.set(name, url);
  assets.set(url, { body, type });
}

/** The address of a file in `assets/`. It changes with the content, so that it may be kept for ever. */
export function assetUrl(name: string): string {
  const url = urls.get(name);
  if (!url) throw new Error(`No such asset: ${name}`);
  return url;
}

/** What stands at such an address. Looked up, never read from a path, so that no address can reach another file. */
export function asset(path: string): Asset | undefined {
  return assets.get(path);
}
