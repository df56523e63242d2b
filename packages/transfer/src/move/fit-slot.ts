import type { Slot, Slots } from '../slots.ts'

/**
 * Memory for a part that is shorter than was prepared for. A much shorter one moves to where short ones lie, before a
 * byte has landed: cut off in place, each of a million small files would leave its mark on other pages.
 */
export function fitSlot(slot: Slot, length: number, slots: Pick<Slots, 'tryReserve'>): Slot {
  const smaller = length < slot.length / 2 ? slots.tryReserve(length) : undefined
  if (!smaller) {
    slot.trim(length)
    return slot
  }
  slot.release()
  return smaller
}
