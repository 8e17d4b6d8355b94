/** The cookies of one host, by name: attributes but for `Max-Age=0` are not looked at. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  /** Remembers cookies of an answer. @param lines values of `set-cookie` */
  take(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(';');
      const [, name, value] = /^\s*([^=]+)=(.*)$/s.exec(pair) ?? [];
      if (name === undefined || value === undefined) continue;
      if (attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute))) this.#cookies.delete(name);
      else this.#cookies.set(name, value.trim());
    }
  }

  /** The value for the header `cookie`; undefined when there is none to send. */
  header(): string | undefined {
    if (this.#cookies.size === 0) return undefined;
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
