import { describe, expect, test } from 'vitest'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
import { describeListing } from '../../test/list-suite.ts'
import { contentOf, describeSource, expectSame } from '../../test/source-suite.ts'
import { createMemorySource, type MemorySourceOptions } from './memory.ts'

const uri = 'memory:/content'

function make(options: MemorySourceOptions = {}) {
  return async (content: Uint8Array) => {
    const files = new Map([[uri, content]])
    return {
      source: createMemorySource(files, options),
      change: (other: Uint8Array) => void files.set(uri, other),
      remove: () => void files.delete(uri),
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

describeSource('createMemorySource()', { make: make() })
describeSource('createMemorySource() without ranges', {
  make: make({ hasRanges: false }),
  cannot: { ranges: 'switched off' },
})
describeSource('createMemorySource() without size', {
  make: make({ hasSize: false }),
  cannot: { size: 'switched off' },
})

describeListing('createMemorySource()', {
  make: async files => {
    const all = new Map([...files].map(([path, content]) => [`memory:/place/${path}`, content]))
    const open = (uri: string) => createMemorySource(all, { uri })
    return { source: open('memory:/place/'), open, [Symbol.asyncDispose]: async () => {} }
  },
  cannot: { time: 'content has none', missing: 'as in object stores, nothing is listed' },
})

describe('createMemorySource()', () => {
  test('notices a change in the middle of a fetch', async () => {
    const files = new Map([[uri, contentOf(500_000)]])
    const fetching = fetchBytes(createMemorySource(files), {
      onAdvance: landing => landing.position > 200_000 && files.set(uri, contentOf(500_000, 2)),
    })
    expect(await failureOf(fetching)).toMatchObject({ code: 'ResourceChanged' })
  })

  test('takes bare bytes', async () => {
    const content = contentOf(1000)
    expectSame((await fetchBytes(createMemorySource(content))).bytes, content)
  })
})
