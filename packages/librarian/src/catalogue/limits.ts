/** The largest page of any search (reliability 6). */
export const maxPage = 1000

/** How many results a search gives: 64 where nothing was asked, never more than a page, never fewer than none. */
export function pageLimit(asked = 64): number {
  return Math.max(0, Math.min(Math.trunc(asked), maxPage))
}
