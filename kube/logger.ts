import winston from 'winston';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: the message is constant, what varies goes into fields. Never log tokens, keys or Secret data. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to every line. */
  child(fields: LogFields): Logger;
}

/** Swallows everything; the default where a logger is optional. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

/** Errors have no enumerable fields, so JSON would print `{}`. */
function readable(fields: LogFields | undefined): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
    result[name] = value instanceof Error ? describe(value) : value;
  }
  return result;
}

function describe(error: Error): string {
  const known = error.name.startsWith('Kube');
  return known ? `${error.name}: ${error.message}` : (error.stack ?? error.message);
}

function textLine(info: winston.Logform.TransformableInfo): string {
  const { level, message, timestamp, component, ...fields } = info;
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [timestamp, level.padEnd(5), component, message, ...pairs].filter(Boolean).join(' ');
}

class WinstonLogger implements Logger {
  readonly #logger: winston.Logger;

  constructor(logger: winston.Logger) {
    this.#logger = logger;
  }

  debug(message: string, fields?: LogFields): void {
    this.#logger.debug(message, readable(fields));
  }

  info(message: string, fields?: LogFields): void {
    this.#logger.info(message, readable(fields));
  }

  warn(message: string, fields?: LogFields): void {
    this.#logger.warn(message, readable(fields));
  }

  error(message: string, fields?: LogFields): void {
    this.#logger.error(message, readable(fields));
  }

  child(fields: LogFields): Logger {
    return new WinstonLogger(this.#logger.child(readable(fields)));
  }
}

/**
 * Makes the process's logger: JSON lines on stderr, or text when stderr is a terminal.
 * @param component name of the program, a field of every line
 * @param env `HEDDLE_LOG_LEVEL` (error, warn, info, debug; default info) and `HEDDLE_LOG_FORMAT` (json, text)
 */
export function createLogger(component: string, env: NodeJS.ProcessEnv = process.env): Logger {
  const { combine, timestamp, json, printf } = winston.format;
  const text = env.HEDDLE_LOG_FORMAT === 'text' || (process.stderr.isTTY && env.HEDDLE_LOG_FORMAT !== 'json');
  const levels = winston.config.npm.levels;
  const wanted = env.HEDDLE_LOG_LEVEL ?? 'info';
  const logger = winston.createLogger({
    level: wanted in levels ? wanted : 'info',
    format: combine(timestamp(), text ? printf(textLine) : json()),
    defaultMeta: { component },
    transports: [new winston.transports.Console({ stderrLevels: Object.keys(levels) })],
  });
  return new WinstonLogger(logger);
}
