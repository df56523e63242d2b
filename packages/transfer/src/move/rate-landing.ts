import type { TokenBucket } from '../limits/token-bucket.ts'
import type { Landing } from '../source.ts'

const EMPTY = new Uint8Array(0)

/** A landing that has room only while the bucket has tokens: the socket is then left unread and TCP slows the sender. */
export function withRate(landing: Landing, bucket: TokenBucket | undefined): Landing {
  if (!bucket) return landing
  let waiting: Promise<void> | undefined
  return {
    room: () => (waiting ? EMPTY : landing.room()),
    advance: count => {
      landing.advance(count)
      waiting = bucket.take(count)?.then(() => {
        waiting = undefined
      })
    },
    whenRoom: async () => {
      while (waiting) await waiting
      await landing.whenRoom()
    },
    get isComplete() {
      return landing.isComplete
    },
  }
}
