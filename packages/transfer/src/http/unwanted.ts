import { oneHeader } from '../integrity/headers.ts'
import { nowhere } from '../nowhere.ts'
import type { Landing } from '../source.ts'
import type { AnswerHead } from './answer-head.ts'
import { parseLength } from './content-range.ts'
import type { FastBody } from './fast-connection.ts'

/** The body of a redirect or an error is read to keep the connection, unless it is longer. */
const MOST_UNWANTED = 64 * 1024

/** The words of a failed answer, read in the fast lane where their length is told. */
export class FastExplanation implements Landing {
  readonly head: AnswerHead
  readonly body: FastBody | undefined
  readonly #bytes: Buffer
  #filled = 0

  constructor(head: AnswerHead) {
    this.head = head
    const length = unwanted(head)?.length
    this.#bytes = Buffer.alloc(length ?? 0)
    this.body = length === undefined ? undefined : { landing: this, length }
  }

  /** Whether more words are not to be had, or not worth a second request. */
  get isKnown(): boolean {
    return this.body !== undefined || (this.head.status >= 500 && this.head.status !== 501)
  }

  get text(): string {
    return this.#bytes.toString('utf8', 0, this.#filled)
  }

  get isComplete(): boolean {
    return this.#filled === this.#bytes.length
  }

  room(): Uint8Array {
    return this.#bytes.subarray(this.#filled)
  }

  advance(count: number): void {
    this.#filled += count
  }

  async whenRoom(): Promise<void> {}
}

/** A body that is read only because the connection shall carry the next request, too. */
export function unwanted({ headers }: AnswerHead): FastBody | undefined {
  const isFramed = headers['transfer-encoding'] === undefined
  const length = isFramed ? parseLength(oneHeader(headers, 'content-length')) : undefined
  return length !== undefined && length <= MOST_UNWANTED ? { landing: nowhere, length } : undefined
}
