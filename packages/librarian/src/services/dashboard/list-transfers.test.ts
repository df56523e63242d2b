import { expect, test } from 'vitest'
import { createListTransfers } from './list-transfers.ts'

/** Numbers of transfers as they are when somebody looks. */
function counted() {
  const looks: string[] = []
  let last = 3
  const transferPages = {
    counts: async () => ({ COMPLETED: last }),
    list: async ({ other, limit }: { other?: string; limit: number }) => {
      looks.push(other ?? 'all')
      return Array.from({ length: Math.min(limit, last) }, (_, at) => ({ id: last - at }))
    },
  }
  const list = createListTransfers({ catalogue: { transferPages: transferPages as never } })
  return { list, looks, begin: () => last++ }
}

test('hundreds who ask for one page at the same time cost one look, another page its own', async () => {
  const { list, looks } = counted()
  const asked = Array.from({ length: 200 }, () => list({ direction: 'out', limit: 2 }))
  const other = list({ direction: 'out', other: 'far', limit: 2 })
  for (const page of await Promise.all(asked)) {
    expect(page).toMatchObject({ counts: { COMPLETED: 3 }, transfers: [{ id: 3 }, { id: 2 }], hasMore: true })
  }
  await other
  expect(looks.toSorted()).toEqual(['all', 'far'])
})

test('whoever asks after something has changed sees it, also while others are being answered', async () => {
  const { list, begin } = counted()
  const before = list({ direction: 'out', limit: 10 })
  await Promise.resolve()
  await Promise.resolve()
  begin()
  const after = await list({ direction: 'out', limit: 10 })
  await before
  expect(after.transfers).toHaveLength(4)
})
