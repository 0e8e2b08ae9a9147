/** A request that is refused before anybody looks at what it asks for. Nothing was changed. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly status: 400 | 403 | 413 | 415;

  constructor(status: 400 | 403 | 413 | 415, reason: string) {
    super(reason);
    this.status = status;
  }
}

export const FORM_BYTES_MAX = 16 * 1024;

/**
 * Reads a posted form strictly: the one content type, every field known and at most once, UTF-8, no NUL. A field that is
 * missing reads as ''. Nobody's handler ever sees a field it did not name, so no answer can name its own subject (I13).
 */
export function readForm<Field extends string>(
  contentType: string | undefined,
  body: string,
  fields: readonly Field[],
): Record<Field, string> {
  if (!/^application\/x-www-form-urlencoded(\s*;\s*charset=utf-8)?$/i.test(contentType ?? '')) {
    throw new RequestRefused(415, 'forms are sent as application/x-www-form-urlencoded');
  }
  const values = new Map<Field, string>();
  for (const pair of body === '' ? [] : body.split('&')) {
    const [name, value] = splitPair(pair);
    const field = fields.find((known) => known === name);
    if (field === undefined) throw new RequestRefused(400, 'the form has a field that does not belong to it');
    if (values.has(field)) throw new RequestRefused(400, `the field ${field} was sent twice`);
    if (value.includes('\0')) throw new RequestRefused(400, `the field ${field} has a character that cannot be used`);
    values.set(field, value);
  }
  return Object.fromEntries(fields.map((field) => [field, values.get(field) ?? ''])) as Record<Field, string>;
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [decode(pair), ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new RequestRefused(400, 'the form is not valid UTF-8');
  }
}
