import { describe, expect, test } from 'vitest'
import { describeStore, keeperOf } from '../../test/store-suite.ts'
import { MemoryStore } from './memory.ts'
import { describeContent } from './memory-content.ts'

describeStore('memory', {
  cannot: { keepers: 'it is in the memory of one process, which one catalogue has' },
  async make() {
    const store = new MemoryStore()
    return {
      store,
      async stage(id, uploadName, content) {
        store.stage(id, uploadName, content)
      },
      async damage(name, content) {
        store.damage(name, content)
      },
      async put(name, content) {
        store.damage(name, content)
      },
      reopen: async () => store,
      async setThere(isThere) {
        store.unavailableBecause = isThere ? undefined : 'taken away'
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
})

describe('MemoryStore', () => {
  test('tells an unreadable medium, and what was lost', async () => {
    const store = new MemoryStore()
    const content = new Uint8Array(3)
    const { checksum } = await describeContent(content, undefined)
    store.damage('f', content)
    store.makeUnreadable('f')
    expect(await store.examine('f', { kind: 'file', checksum })).toMatchObject({ outcome: 'unreadable' })
    store.lose('f')
    expect(await store.examine('f', { kind: 'file', checksum })).toMatchObject({ outcome: 'missing' })
  })

  test('is not available where it is another catalogue’s, until it is taken over', async () => {
    const store = new MemoryStore({ keeper: keeperOf('ours') })
    store.keptBy = keeperOf('theirs')
    expect(await store.state()).toMatchObject({ available: false, otherKeeper: keeperOf('theirs') })
    await expect(store.trash('f', '0'.repeat(32))).rejects.toMatchObject({ code: 'StoreUnavailable' })
    expect(await store.takeOver()).toEqual(keeperOf('theirs'))
    expect(await store.state()).toMatchObject({ available: true })
  })

  test('has less room the more it keeps', async () => {
    const store = new MemoryStore({ total: 100 })
    store.damage('f', new Uint8Array(60))
    expect(await store.state()).toMatchObject({ free: 40, total: 100 })
  })
})
