/** An answer that is written piece by piece, because as a whole it could be too large for memory. */
export class JsonText {
  readonly pieces: AsyncIterable<string>

  constructor(pieces: AsyncIterable<string>) {
    this.pieces = pieces
  }
}
