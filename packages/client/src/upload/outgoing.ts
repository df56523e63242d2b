/** The bytes of one upload as they go over the network, from any place on. */
export interface Outgoing extends AsyncDisposable {
  /** The local path, for messages. */
  readonly path: string
  /** Bytes that are sent. */
  readonly size: number
  /** Go with every request: what the bytes are, where they are not simply a file's. */
  readonly headers: Readonly<Record<string, string>>
  /**
   * Fills `bytes` with what lies at `offset`, reading nothing before it. One call at a time.
   *
   * @throws TransferError ResourceChanged where what is read is not what was looked at
   */
  read(bytes: Uint8Array, offset: number): Promise<void>
  /** How many of these bytes are of files: what a person counts. */
  countOf(start: number, end: number): number
}
