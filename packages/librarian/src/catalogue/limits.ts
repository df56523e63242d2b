/** The largest page of any search (reliability 6). */
const maxPage = 1000

/**
 * So long after its announcement, and after its last byte, an upload holds the room that it announced against others. Whoever
 * means it has begun by then, and what has come takes its room on the disk itself; a longer time would let one user keep a
 * store from everybody by announcing all of it. An upload that comes later finds the room or is refused when it needs it.
 */
export const roomHeldSeconds = 3600

/** How many results a search gives: 64 where nothing was asked, never more than a page, never fewer than none. */
export function pageLimit(asked = 64): number {
  return Math.max(0, Math.min(Math.trunc(asked), maxPage))
}
