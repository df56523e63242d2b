/** The shared suites, against the twin of the service. */
import { gzipSync } from 'node:zlib'
import { startGsServer } from '../../test/gs-server/gs-server.ts'
import type { PutOptions } from '../../test/gs-server/store.ts'
import { describeListing } from '../../test/list-suite.ts'
import { sourceContext } from '../../test/source-context.ts'
import { describeSource } from '../../test/source-suite.ts'
import { createGsSource } from './gs.ts'

interface Variant extends PutOptions {
  readonly name?: string
  readonly hasVersions?: boolean
  readonly keepEncoding?: boolean
  /** From content to what is stored. */
  readonly stored?: (content: Uint8Array) => Uint8Array
}

function make({ name = 'run 1/data.bin', hasVersions, keepEncoding, stored = bytes => bytes, ...put }: Variant = {}) {
  return async (content: Uint8Array) => {
    const server = await startGsServer()
    server.publicBuckets.add('open')
    server.store.hasVersions = hasVersions ?? false
    const replace = (bytes: Uint8Array) => void server.store.put('open', name, stored(bytes), put)
    replace(content)
    const context = sourceContext({ keepEncoding, gs: { endpoint: server.endpoint, anonymous: true } })
    const source = await createGsSource(`gs://open/${name}`, context)
    return {
      source,
      change: replace,
      remove: () => server.store.remove('open', name),
      async [Symbol.asyncDispose]() {
        await source.close()
        await context[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  }
}

describeSource('createGsSource()', { make: make() })
describeSource('createGsSource() of a coded object, decoded', {
  make: make({ contentEncoding: 'gzip', stored: bytes => gzipSync(bytes, { level: 1 }) }),
  cannot: { ranges: 'a slice of a coded object cannot be decoded', size: 'only the end of the decoded bytes tells' },
})
describeSource('createGsSource() of a coded object, kept', {
  make: make({ contentEncoding: 'gzip', keepEncoding: true }),
})
describeSource('createGsSource() of a coded object whose name says so', {
  make: make({ contentEncoding: 'gzip', name: 'a//../b.gz' }),
})

describeListing('createGsSource()', {
  make: async files => {
    const server = await startGsServer()
    server.publicBuckets.add('open')
    server.store.buckets.add('open')
    server.store.put('open', 'elsewhere/not-listed', new Uint8Array(3))
    server.store.put('open', 'place/', new Uint8Array(0))
    for (const [path, bytes] of files) server.store.put('open', `place/${path}`, bytes)
    const context = sourceContext({ gs: { endpoint: server.endpoint, anonymous: true } })
    const open = (uri: string) => createGsSource(uri, context)
    return {
      source: await open('gs://open/place/'),
      open,
      async [Symbol.asyncDispose]() {
        await context[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  },
  cannot: { missing: 'there are no directories, only names: nothing is listed' },
})
