/**
 * Pours a range of an open file into a landing.
 *
 *     ask     READs ahead of what has come, as many as fill the channel's window, and then for the file's attributes
 *     hear    pieces come; those of the read in front wait in a queue, others with their read
 *     land    the queue goes into the landing's room; where there is none, nothing more is asked for
 *     prove   the last piece lands only when attributes that were asked for behind the last READ are still the same:
 *             requests on one file are processed in the order in which they come (draft, 6.1)
 *
 * Pieces are views of what was decrypted, and only landing copies them: nothing is written into the landing's memory
 * once this is over, whatever still comes.
 */
import { TransferError } from '../../errors.ts'
import type { Landing } from '../../source.ts'
import type { Attributes } from './attributes.ts'
import type { Handle, SftpSession } from './session.ts'

/** The window of an SSH channel here: more than that cannot be under way. */
const WINDOW = 2 * 1024 * 1024

interface Read {
  readonly offset: number
  readonly length: number
  /** Pieces that came before their turn. */
  readonly early: Buffer[]
  got: number
  outcome: 'data' | 'eof' | undefined
}

export class Pour {
  readonly #session: SftpSession
  readonly #handle: Handle
  readonly #result = Promise.withResolvers<void>()
  /** In the order of their offsets. */
  readonly #reads: Read[] = []
  readonly #queue: Buffer[] = []
  #queued = 0
  /** Bytes asked for that have not come. */
  #owed = 0
  /** First byte not asked for; where the asking ends. */
  #next: number
  #end: number
  /** First byte that has not landed; first byte that is not in the queue. */
  #position: number
  #landing: Landing | undefined
  #judge: ((attributes: Attributes) => void) | undefined
  #lastRead = 0
  #proof: { readonly asked: number; isGood: boolean | undefined } | undefined
  #isWaitingForRoom = false
  #isBusy = false
  #isOver = false

  constructor(session: SftpSession, handle: Handle, start: number) {
    this.#session = session
    this.#handle = handle
    this.#next = start
    this.#end = start
    this.#position = start
    this.#result.promise.catch(() => {})
  }

  /** Asks for bytes before it is known whether they are wanted: what comes waits. */
  ahead(end: number): void {
    this.#end = end
    this.#ask()
  }

  /**
   * Lands everything up to `end`. Resolves when it is there or nothing more is wanted.
   *
   * @param judge throws if attributes are not those of the expected version
   */
  into(landing: Landing, end: number, judge: (attributes: Attributes) => void): Promise<void> {
    this.#landing = landing
    this.#judge = judge
    this.#end = end
    this.#settleFront()
    this.#step()
    return this.#result.promise
  }

  /** Nothing more lands; what still comes is thrown away. */
  stop(reason: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#queue.length = 0
    this.#reads.length = 0
    this.#result.reject(reason)
  }

  #step(): void {
    // Landing may call back into here.
    if (this.#isBusy || this.#isOver) return
    this.#isBusy = true
    try {
      this.#land()
      if (!this.#isOver) this.#ask()
    } catch (error) {
      this.stop(error)
    } finally {
      this.#isBusy = false
    }
  }

  #land(): void {
    const landing = this.#landing
    if (!landing) return
    for (;;) {
      if (landing.isComplete || this.#position === this.#end) return this.#finish()
      const piece = this.#queue[0]
      if (!piece) return
      const isLast = this.#position + piece.length >= this.#end
      if (isLast && !this.#isProven()) return
      const room = landing.room()
      if (room.length === 0) {
        if (!landing.isComplete) this.#waitForRoom(landing)
        return
      }
      const count = Math.min(room.length, piece.length, this.#end - this.#position)
      room.set(count === piece.length ? piece : piece.subarray(0, count))
      if (count === piece.length) this.#queue.shift()
      else this.#queue[0] = piece.subarray(count)
      this.#queued -= count
      this.#position += count
      landing.advance(count)
      if (this.#isOver) return
    }
  }

  #waitForRoom(landing: Landing): void {
    if (this.#isWaitingForRoom) return
    this.#isWaitingForRoom = true
    landing.whenRoom().then(
      () => {
        this.#isWaitingForRoom = false
        this.#step()
      },
      error => this.stop(error),
    )
  }

  /** All is there, or more than is wanted: over, once it is proven. */
  #finish(): void {
    // Reads that nobody wants any more need no proof.
    this.#end = this.#position
    if (!this.#isProven()) return this.#prove()
    this.#isOver = true
    this.#queue.length = 0
    this.#reads.length = 0
    this.#result.resolve()
  }

  #isProven(): boolean {
    // Nothing was read: what was known before still holds.
    if (this.#lastRead === 0) return true
    return this.#proof !== undefined && this.#proof.isGood === true && this.#proof.asked > this.#lastRead
  }

  #ask(): void {
    const { readSize } = this.#session
    const most = WINDOW + readSize
    while (this.#next < this.#end && this.#owed + this.#queued + readSize <= most) {
      const length = Math.min(readSize, this.#end - this.#next)
      this.#reads.push(this.#read(this.#next, length))
      this.#next += length
    }
    if (this.#next >= this.#end) this.#prove()
  }

  #read(offset: number, length: number): Read {
    const read: Read = { offset, length, early: [], got: 0, outcome: undefined }
    this.#owed += length
    this.#lastRead = this.#session.read(this.#handle, offset, length, {
      data: piece => this.#heard(read, piece),
      ended: outcome => this.#ended(read, outcome),
      failed: error => this.stop(error),
    })
    return read
  }

  /** Unless it is asked for already, behind the last read. */
  #prove(): void {
    if (this.#lastRead === 0 || (this.#proof && this.#proof.asked > this.#lastRead)) return
    const answer = this.#session.fstat(this.#handle)
    const proof = { asked: this.#session.lastNumber, isGood: undefined as boolean | undefined }
    this.#proof = proof
    answer.then(
      attributes => this.#judged(proof, attributes),
      error => this.stop(error),
    )
  }

  #judged(proof: { isGood: boolean | undefined }, attributes: Attributes): void {
    if (this.#isOver) return
    try {
      if (!this.#judge) {
        // It came before the head was judged: a later one will tell.
        if (proof === this.#proof) this.#proof = undefined
        return
      }
      this.#judge(attributes)
      proof.isGood = true
    } catch (error) {
      return this.stop(error)
    }
    this.#step()
  }

  #heard(read: Read, piece: Buffer): void {
    if (this.#isOver) return
    read.got += piece.length
    this.#owed -= piece.length
    if (read !== this.#reads[0]) {
      read.early.push(piece)
      this.#queued += piece.length
      return
    }
    this.#enqueue(piece)
    this.#step()
  }

  #enqueue(piece: Buffer): void {
    this.#queue.push(piece)
    this.#queued += piece.length
  }

  #ended(read: Read, outcome: 'data' | 'eof'): void {
    if (this.#isOver) return
    this.#owed -= read.length - read.got
    read.outcome = outcome
    this.#settleFront()
    this.#step()
  }

  /** What is to be made of reads that brought less than was asked for is known only with the file's size. */
  #settleFront(): void {
    while (this.#landing && this.#reads[0]?.outcome) {
      this.#settle(this.#reads.shift() as Read)
      const next = this.#reads[0]
      // What came early has its turn now; it is counted already.
      if (next) this.#queue.push(...next.early.splice(0))
    }
  }

  /** A read may bring less than was asked for (draft, 6.4): the rest is asked for again, before anything else. */
  #settle({ offset, length, got, outcome }: Read): void {
    const at = offset + got
    if (got === length || at >= this.#end) return
    if (outcome === 'data') this.#reads.unshift(this.#read(at, length - got))
    else this.stop(this.#endedEarly(at))
  }

  #endedEarly(at: number): TransferError {
    const what = `Cannot read on: the file ended at byte ${at}, ${this.#end - at} bytes before its size says so`
    return new TransferError('Protocol', what)
  }
}
