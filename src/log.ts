import { pino, type Level } from 'pino';
import type { Log } from './accounts/installation.ts';

export const LOG_LEVELS: readonly Level[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

/** JSON lines on standard output, one event each; pino escapes what would break a line (ASVS 16.2.4, 16.4.1). */
export function openLog(level: Level, now: () => number): Log {
  const log = pino({ level, base: null, timestamp: () => `,"time":"${new Date(now()).toISOString()}"` });
  return {
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}
