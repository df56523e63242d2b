/** Where good bytes come from if no copy at this site has them: other librarians. */
import type { File } from '../../catalogue/operations/instances.ts'

export interface Upstream {
  /** Librarians to be asked, in order: the one that the file came from, then those that are known to hold it. */
  candidates(file: File): Promise<string[]>
  /**
   * Bytes of the file, or of one member of it. Nothing of them is believed before they are compared.
   *
   * @throws LibrarianError, TransferError: whatever the call meets
   */
  fetch(librarian: string, name: string, options: FetchOptions): AsyncIterable<Uint8Array>
  /** Whether bytes can be fetched from it; else it may be asked to send. @throws LibrarianError `PeerUnreachable` */
  canFetch(librarian: string, signal: AbortSignal | undefined): Promise<boolean>
  /** Has it send the file again (librarian 10.10); resolves to the number of the transfer that it announced here. */
  askToSend(librarian: string, name: string, signal: AbortSignal | undefined): Promise<number>
}

export interface FetchOptions {
  readonly member?: string | undefined
  readonly size: number
  readonly signal: AbortSignal | undefined
}
