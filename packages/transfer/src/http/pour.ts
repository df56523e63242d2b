import { abortable } from '../abortable.ts'
import type { Landing } from '../source.ts'

/** Copies as much as there is room for now; returns how many bytes were taken. */
export function pourNow(landing: Landing, bytes: Uint8Array): number {
  let done = 0
  while (done < bytes.length) {
    const room = landing.room()
    if (room.length === 0) break
    const count = Math.min(room.length, bytes.length - done)
    room.set(done === 0 && count === bytes.length ? bytes : bytes.subarray(done, done + count))
    landing.advance(count)
    done += count
  }
  return done
}

/** Copies all bytes, waiting for room. False when the landing wants no more. */
export async function pour(landing: Landing, bytes: Uint8Array, signal: AbortSignal): Promise<boolean> {
  let rest = bytes
  for (;;) {
    if (landing.isComplete) return false
    rest = rest.subarray(pourNow(landing, rest))
    if (rest.length === 0) return !landing.isComplete
    if (!landing.isComplete) await abortable(landing.whenRoom(), signal)
    signal.throwIfAborted()
  }
}
