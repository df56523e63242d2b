/**
 * Acts on each item, as many at once as there are hands. A hand that fails takes no more; the others go on. Settles when none
 * of them works any more, and rejects with what the first of them met.
 */
export async function workTogether<Item, Hand>(
  items: readonly Item[],
  hands: Iterable<Hand>,
  act: (item: Item, hand: Hand) => Promise<unknown>,
): Promise<void> {
  const waiting = items.values()
  const crew = Array.from(hands, async hand => {
    for (const item of waiting) await act(item, hand)
  })
  await Promise.allSettled(crew)
  await Promise.all(crew)
}
