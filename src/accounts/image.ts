import { crc32 } from 'node:zlib';

export interface Image {
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp';
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

export type ReadImage = ({ kind: 'image' } & Image) | { kind: 'moving' | 'broken' | 'unknown' };

const UNKNOWN: ReadImage = { kind: 'unknown' };
const BROKEN: ReadImage = { kind: 'broken' };
const MOVING: ReadImage = { kind: 'moving' };

/**
 * Says what a file is by its bytes alone, whatever its name and sender claim, and how large a picture is. Its frame is
 * walked from the first byte to the last: what breaks off, goes on behind its end or contradicts itself is `broken`, so
 * that no file can be a picture here and something else elsewhere. Pixels are left to the browser. Never throws.
 */
export function readImage(bytes: Buffer): ReadImage {
  if (bytes.subarray(0, 8).equals(PNG_SIGNATURE)) return readPng(bytes);
  if (bytes.subarray(0, 3).equals(JPEG_SIGNATURE)) return readJpeg(bytes);
  if (textAt(bytes, 0) === 'RIFF' && textAt(bytes, 8) === 'WEBP') return readWebp(bytes);
  return UNKNOWN;
}

const PNG_SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const JPEG_SIGNATURE = Buffer.from([0xff, 0xd8, 0xff]);

function image(type: Image['type'], width: number, height: number): ReadImage {
  return width > 0 && height > 0 ? { kind: 'image', type, width, height } : BROKEN;
}

/** PNG (W3C, third edition, §5): chunks of length, name, content and checksum, from IHDR to IEND. */
function readPng(bytes: Buffer): ReadImage {
  const names = new Set<string>();
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const name = textAt(bytes, at + 4);
    const end = at + 8 + length;
    if (end + 4 > bytes.length || bytes.readUInt32BE(end) !== crc32(bytes.subarray(at + 4, end))) return BROKEN;
    if ((at === 8) !== (name === 'IHDR') || (name === 'IHDR' && length !== 13)) return BROKEN;
    if (name === 'acTL') return MOVING;
    names.add(name);
    at = end + 4;
    if (name === 'IEND') {
      const whole = at === bytes.length && length === 0 && names.has('IDAT');
      return whole ? image('image/png', bytes.readUInt32BE(16), bytes.readUInt32BE(20)) : BROKEN;
    }
  }
  return BROKEN;
}

const START_OF_SCAN = 0xda;
// Baseline, extended and progressive: the frames that browsers draw.
const FRAMES = [0xc0, 0xc1, 0xc2];
// Markers that stand alone or have no place before the scan: TEM, RST0–7, SOI, EOI, and the frames nobody draws.
const MISPLACED = [0x01, 0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf, ...range(0xd0, 0xd9)];

/** JPEG (ITU-T T.81, annex B): segments of marker and length up to the scan, and the end's marker as the last bytes. */
function readJpeg(bytes: Buffer): ReadImage {
  let frame: ReadImage | undefined;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return BROKEN;
    const marker = bytes.readUInt8(at + 1);
    // A marker may have fill bytes before it (B.1.1.2).
    if (marker === 0xff) {
      at++;
      continue;
    }
    const length = bytes.readUInt16BE(at + 2);
    const end = at + 2 + length;
    if (marker < 0x02 || MISPLACED.includes(marker) || length < 2 || end > bytes.length) return BROKEN;
    if (marker === START_OF_SCAN) return frame !== undefined && endsAsJpeg(bytes, end) ? frame : BROKEN;
    if (FRAMES.includes(marker)) {
      if (frame !== undefined || length < 11) return BROKEN;
      frame = image('image/jpeg', bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5));
    }
    at = end;
  }
  return BROKEN;
}

function endsAsJpeg(bytes: Buffer, scan: number): boolean {
  return bytes.length >= scan + 2 && bytes.readUInt16BE(bytes.length - 2) === 0xffd9;
}

/** WebP (RFC 9649): RIFF chunks of name and length, the picture in one of them, or its canvas in the first. */
function readWebp(bytes: Buffer): ReadImage {
  if (bytes.length < 20 || bytes.readUInt32LE(4) !== bytes.length - 8) return BROKEN;
  let canvas: ReadImage | undefined;
  let picture: ReadImage | undefined;
  for (let at = 12; at < bytes.length;) {
    if (at + 8 > bytes.length) return BROKEN;
    const name = textAt(bytes, at);
    const length = bytes.readUInt32LE(at + 4);
    const content = bytes.subarray(at + 8, at + 8 + length);
    if (content.length < length) return BROKEN;
    if (at === 12 && name === 'VP8X') canvas = canvasOf(content);
    else if (at === 12 && name !== 'VP8 ' && name !== 'VP8L') return BROKEN;
    if (name === 'ANIM' || name === 'ANMF' || canvas?.kind === 'moving') return MOVING;
    if (name === 'VP8 ' || name === 'VP8L') {
      if (picture !== undefined) return BROKEN;
      picture = name === 'VP8 ' ? lossy(content) : lossless(content);
    }
    // An odd length has a byte of padding behind it.
    at += 8 + length + (length % 2);
    if (at > bytes.length) return BROKEN;
  }
  return picture !== undefined && (canvas === undefined || sameSize(canvas, picture)) ? picture : BROKEN;
}

function canvasOf(content: Buffer): ReadImage {
  if (content.length !== 10) return BROKEN;
  if ((content.readUInt8(0) & 0x02) !== 0) return MOVING;
  return image('image/webp', content.readUIntLE(4, 3) + 1, content.readUIntLE(7, 3) + 1);
}

/** The frame of VP8 (RFC 6386 §9.1): a key frame, its start code, and 14 bits for each side. */
function lossy(content: Buffer): ReadImage {
  if (content.length < 10 || (content.readUInt8(0) & 1) !== 0 || content.readUIntBE(3, 3) !== 0x9d012a) return BROKEN;
  return image('image/webp', content.readUInt16LE(6) & 0x3fff, content.readUInt16LE(8) & 0x3fff);
}

/** The frame of lossless WebP (RFC 9649 §3.4): a signature, 14 bits for each side less one, and version 0. */
function lossless(content: Buffer): ReadImage {
  if (content.length < 5 || content.readUInt8(0) !== 0x2f) return BROKEN;
  const bits = content.readUInt32LE(1);
  return bits >>> 29 === 0 ? image('image/webp', (bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1) : BROKEN;
}

function sameSize(one: ReadImage, other: ReadImage): boolean {
  return one.kind === 'image' && other.kind === 'image' && one.width === other.width && one.height === other.height;
}

function textAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + 4);
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
}
