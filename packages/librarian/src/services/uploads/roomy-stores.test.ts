import { expect, test } from 'vitest'
import type { StoreState } from '../../stores/store.ts'
import type { SiteStore, Stores } from '../../stores/stores.ts'
import { roomyStores } from './roomy-stores.ts'

const there: StoreState = { available: true, free: 7, total: 9, uuid: 'u', device: 'd' }
const away: StoreState = { available: false, reason: 'unplugged' }
const unseen: StoreState = { available: false, reason: 'EMFILE', isUnseen: true }

function storesIn(...states: StoreState[]): Stores {
  const all = states.map((state, index) => {
    return { id: index + 1, ingestable: true, store: { state: async () => state, capabilities: { hasTrees: true } } }
  })
  return { all: all as unknown as SiteStore[] } as unknown as Stores
}

test('those that are there have room; one that is not seen now is passed over', async () => {
  expect(await roomyStores(storesIn(away, there, unseen))).toEqual([{ id: 2, free: 7, hasTrees: true }])
  expect(await roomyStores(storesIn(away))).toEqual([])
})

test('a server that cannot look says that it is busy, and not that no store has room', async () => {
  await expect(roomyStores(storesIn(away, unseen))).rejects.toMatchObject({ code: 'Busy' })
})
