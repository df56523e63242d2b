/** The shared suites against an S3 that checks every signature: plain and versioned buckets, both forms of the listing. */
import { describeListing } from '../../test/list-suite.ts'
import { identity, type S3Server, type S3ServerOptions, startS3Server } from '../../test/s3-server.ts'
import { sourceContext } from '../../test/source-context.ts'
import { describeSource } from '../../test/source-suite.ts'
import { createS3Source } from './s3.ts'

const KEY = "odd//../k e+y%20 é'(1).bin"

function contextFor(server: S3Server) {
  return sourceContext({ s3: { endpoint: server.endpoint, credentials: identity, environment: {} } })
}

function makeSource(options: S3ServerOptions) {
  return async (content: Uint8Array) => {
    const server = await startS3Server(options)
    const context = contextFor(server)
    server.put('data', KEY, content)
    return {
      source: await createS3Source(`s3://data/${KEY}`, context),
      change: (other: Uint8Array) => void server.put('data', KEY, other),
      remove: () => server.delete('data', KEY),
      [Symbol.asyncDispose]: async () => {
        await context[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  }
}

function makeListing(options: S3ServerOptions) {
  return async (files: ReadonlyMap<string, Uint8Array>) => {
    const server = await startS3Server(options)
    const context = contextFor(server)
    for (const [path, bytes] of files) server.put('data', `some/where/${path}`, bytes)
    server.put('data', 'some/where/', '')
    server.put('data', 'some/whereelse', 'x')
    return {
      source: await createS3Source('s3://data/some/where/', context),
      open: (uri: string) => createS3Source(uri, context),
      [Symbol.asyncDispose]: async () => {
        await context[Symbol.asyncDispose]()
        await server[Symbol.asyncDispose]()
      },
    }
  }
}

const cannot = { missing: 'an object store has no directories: what is not there is empty' }

describeSource('createS3Source()', { make: makeSource({}) })
describeSource('createS3Source(), versioned bucket', {
  make: makeSource({ isVersioned: true }),
  cannot: { versions: 'the version seen first is still there, and read on' },
})
describeListing('createS3Source()', { make: makeListing({}), cannot })
describeListing('createS3Source(), first version of the listing', {
  make: makeListing({ oldListing: 'refuses' }),
  cannot,
})
describeListing('createS3Source(), second version answered as the first', {
  make: makeListing({ oldListing: 'ignores' }),
  cannot,
})
describeListing('createS3Source(), names as they are', { make: makeListing({ isUnencoded: true }), cannot })
