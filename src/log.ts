import { pino, type Level, type Logger } from 'pino';

export const LOG_LEVELS: readonly Level[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'];

/** JSON lines on standard output, one event each; pino escapes what would break a line (ASVS 16.2.4, 16.4.1). */
export function openLog(level: Level, now: () => number): JsonLog {
  const log = pino({ level, base: null, timestamp: () => `,"time":"${new Date(now()).toISOString()}"` });
  return jsonLog(log);
}

/** The log as the rest of the house knows it. */
export interface JsonLog {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

function jsonLog(log: Logger): JsonLog {
  return {
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
  };
}
