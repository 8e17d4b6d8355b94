/** Comments, and texts with what stands in front of them. */
const TEXTS =
  /\/\/[^\r\n]*|[rRbB]*(?:"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^\\"])*"|'(?:\\.|[^\\'])*')/gs;
/** A backslash and what may follow it in a text; or what must not, which is caught. */
const ESCAPES =
  /\\(?:[abfnrtv"'`\\?]|[xX][\da-fA-F]{2}|[0-3][0-7]{2}|u[\da-fA-F]{4}|U(?:000[\da-fA-F]|0010)[\da-fA-F]{4}|(.))/gs;

/**
 * Judges the texts in an expression (CEL): our parser takes backslashes that Envoy's refuses.
 * @returns what is wrong, without a full stop at the end
 */
export function celTextProblem(expression: string): string | undefined {
  if (/(?:^|[^\w])(?:[rR][bB]?|[bB][rR])['"]/.test(expression) && /\\['"]/.test(expression)) {
    return 'must have no backslash in front of a quotation mark beside a raw text (r"...")';
  }
  const wrong = wrongEscape(expression);
  if (wrong === undefined) return undefined;
  return `must have no "${wrong}" in a text: a backslash is written twice, or once in a raw text (r"...")`;
}

function wrongEscape(expression: string): string | undefined {
  for (const [text] of expression.matchAll(TEXTS)) {
    if (/^(?:\/\/|[bB]?[rR])/.test(text)) continue;
    const isBytes = /^[bB]/.test(text);
    for (const [found, wrong] of text.matchAll(ESCAPES)) {
      if (wrong !== undefined || (isBytes && /^.u/i.test(found))) return found.slice(0, 2);
    }
  }
  return undefined;
}
