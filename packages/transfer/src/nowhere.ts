import type { Landing } from './source.ts'

/** For probing, and for bodies that nobody reads: the head was all that was wanted. */
export const nowhere: Landing = {
  room: () => new Uint8Array(0),
  advance: () => {},
  whenRoom: async () => {},
  isComplete: true,
}
