import { FORM_BYTES_MAX, RequestRefused } from './forms.ts';

/** A file that came with a form. Its name is what a stranger typed, good for showing; its type shows in its bytes alone. */
export interface UploadedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Upload<Field extends string> {
  readonly fields: Record<Field, string>;
  /** Undefined where the field for the file was left empty. */
  readonly file: UploadedFile | undefined;
}

/** Reads a body, counting as it arrives: one that is larger is refused with no more of it in memory than that. */
export async function readBody(request: Request, bytesMax: number): Promise<Buffer> {
  const tooLarge = new RequestRefused(413, `the form is larger than ${bytesMax} bytes`);
  if (Number(request.headers.get('content-length')) > bytesMax) throw tooLarge;
  const body = request.body as ReadableStream<Uint8Array> | null;
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Cancelled, the stream would take the connection with it before the refusal is answered.
  for await (const chunk of body?.values({ preventCancel: true }) ?? []) {
    size += chunk.length;
    if (size > bytesMax) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/**
 * Reads a form with a file as strictly as `readForm` reads one without: every field known and at most once, one file at
 * most and in its own field, UTF-8, no NUL. It knows multipart/form-data as browsers write it and nothing else of
 * RFC 7578, and stops at the first part that does not belong.
 */
export function readUpload<Field extends string>(
  contentType: string,
  body: Buffer,
  file: string,
  fields: readonly Field[],
): Upload<Field> {
  const boundary = /^multipart\/form-data\s*;\s*boundary=([\w'-]{1,70})$/i.exec(contentType)?.[1];
  if (boundary === undefined) throw new RequestRefused(415, 'forms with a file are sent as multipart/form-data');
  const values = new Map<string, string>();
  let found: UploadedFile | undefined;
  let room = FORM_BYTES_MAX;
  for (const { name, fileName, content } of partsOf(body, boundary)) {
    const field = [file, ...fields].find((known) => known === name);
    if (field === undefined) throw new RequestRefused(400, 'the form has a field that does not belong to it');
    if (values.has(field)) throw new RequestRefused(400, `the field ${field} was sent twice`);
    if ((field === file) !== (fileName !== undefined))
      throw new RequestRefused(400, `the field ${field} is a file where it should be none, or none where it should be`);
    if (fileName === undefined) room -= content.length;
    if (room < 0) throw new RequestRefused(413, `the fields are larger than ${FORM_BYTES_MAX} bytes`);
    if (fileName !== undefined && (fileName !== '' || content.length > 0)) found = { name: fileName, bytes: content };
    values.set(field, fileName ?? textOf(content));
  }
  return {
    fields: Object.fromEntries(fields.map((field) => [field, values.get(field) ?? ''])) as Record<Field, string>,
    file: found,
  };
}

interface Part {
  readonly name: string;
  readonly fileName: string | undefined;
  readonly content: Buffer;
}

const HEAD_BYTES_MAX = 2 * 1024;
const HEAD =
  /^Content-Disposition: form-data; name="([^"\r\n]*)"(?:; filename="([^"\r\n]*)")?(?:\r\nContent-Type: [ -~]*)?$/i;

/** The parts between the boundary's lines, nothing before the first and nothing behind the last. */
function* partsOf(body: Buffer, boundary: string): Generator<Part> {
  const delimiter = `\r\n--${boundary}`;
  // The first line has none before it that it could break.
  if (!startsWith(body, 0, delimiter.slice(2))) throw malformed();
  let at = delimiter.length - 2;
  while (startsWith(body, at, '\r\n')) {
    const head = at + 2;
    const headLength = body.subarray(head, head + HEAD_BYTES_MAX).indexOf('\r\n\r\n');
    const content = head + headLength + 4;
    const end = body.indexOf(delimiter, content);
    const [, name, fileName] = HEAD.exec(headLength < 0 ? '' : textOf(body.subarray(head, head + headLength))) ?? [];
    if (name === undefined || end < 0) throw malformed();
    yield { name, fileName, content: body.subarray(content, end) };
    at = end + delimiter.length;
  }
  if (!['--', '--\r\n'].includes(body.toString('latin1', at))) throw malformed();
}

function startsWith(body: Buffer, at: number, text: string): boolean {
  return body.toString('latin1', at, at + text.length) === text;
}

function textOf(bytes: Buffer): string {
  const text = decoded(bytes);
  if (text.includes('\0')) throw new RequestRefused(400, 'the form has a character that cannot be used');
  return text;
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RequestRefused(400, 'the form is not valid UTF-8');
  }
}

function malformed(): RequestRefused {
  return new RequestRefused(400, 'the form is not written as multipart/form-data');
}
