/** A value that is made when first asked for, and then kept. */
export class Lazy<Value> {
  private make: (() => Value) | undefined;
  private made: Value | undefined;

  constructor(make: () => Value) {
    this.make = make;
  }

  get isMade(): boolean {
    return this.make === undefined;
  }

  get value(): Value {
    if (this.make !== undefined) {
      this.made = this.make();
      this.make = undefined;
    }
    // Made above at the latest, to whatever type of value.
    return this.made as Value;
  }
}
