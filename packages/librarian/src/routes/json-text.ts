/** An answer that is written piece by piece, because as a whole it could be too large for memory. */
export class JsonText {
  readonly pieces: Iterable<string>

  constructor(pieces: Iterable<string>) {
    this.pieces = pieces
  }
}
