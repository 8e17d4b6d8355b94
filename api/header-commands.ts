/** A per cent sign in the value of a header. */
export interface PercentSign {
  /** What it begins, as it is written: a command with its arguments and a bound on the length, or `%%`. Absent: nothing. */
  readonly written?: string;
  /** Name of the command. */
  readonly name?: string;
}

const NAME = /[A-Z0-9_]+/y;
const END = /(?::[0-9]+)?%/y;

/** The per cent signs of a value, but for those within commands. It is looked through once, however long it is and whatever it is full of. */
export function* percentSigns(value: string): Generator<PercentSign> {
  const endAfterArguments = argumentsIn(value);
  for (let at = value.indexOf('%'), next = 0; at !== -1; at = value.indexOf('%', next)) {
    const nameEnd = endOf(NAME, value, at + 1);
    let end: number | undefined;
    if (nameEnd !== undefined) {
      end = value[nameEnd] === '(' ? endAfterArguments(nameEnd) : endOf(END, value, nameEnd);
    } else if (value[at + 1] === '%') end = at + 2;
    next = end ?? at + 1;
    if (end === undefined) yield {};
    else
      yield { written: value.slice(at, end), ...(nameEnd === undefined ? {} : { name: value.slice(at + 1, nameEnd) }) };
  }
}

/** Gives where a command ends whose arguments begin at a place; to be asked from left to right, as many of them may end at one place. */
function argumentsIn(value: string): (from: number) => number | undefined {
  let close = -1;
  let end: number | undefined;
  return (from) => {
    if (close >= from) return end;
    const found = value.indexOf(')', from);
    close = found === -1 ? value.length : found;
    end = found === -1 ? undefined : endOf(END, value, found + 1);
    return end;
  };
}

/** Where what a sticky expression matches at a place ends; undefined: it does not. */
function endOf(expression: RegExp, text: string, at: number): number | undefined {
  expression.lastIndex = at;
  return expression.test(text) ? expression.lastIndex : undefined;
}
