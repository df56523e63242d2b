/** What takes the bytes of a manifest of one form and gives its rows to the `Rows` it was made with. */
export interface FormParser {
  /** Takes the next bytes, cut anywhere. Throws TransferError Usage when the rows that follow cannot be told apart. */
  push(chunk: Uint8Array): void
  /** No more bytes: what is left is the last row. Throws as `push`. */
  end(): void
}
