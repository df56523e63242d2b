/** The shared suite, over real sockets: each lane alone, both together, with and without TLS. */
import { startFaultServer } from '../../test/fault-server.ts'
import { fetchBytes } from '../../test/fetch-bytes.ts'
import { describeSource } from '../../test/source-suite.ts'
import { createOrigins } from '../http/origins.ts'
import { createHttpSource } from './http.ts'

interface Variant {
  readonly tls?: boolean
  readonly useFastLane?: boolean
  /** Meet the origin before the test, so that the very first request of it goes through the fast lane. */
  readonly isMet?: boolean
  readonly behaviour?: Parameters<typeof startFaultServer>[0]
}

function make({ tls, useFastLane, isMet, behaviour }: Variant) {
  return async (content: Uint8Array) => {
    const server = await startFaultServer({ tls, ...behaviour })
    const resource = server.resource('/data.bin?version=1', { bytes: content })
    server.resource('/met', { bytes: 'hello' })
    const origins = createOrigins({ useFastLane, tls: { ca: server.certificate } })
    if (isMet) await fetchBytes(createHttpSource(server.url('/met'), { origins }), { range: { start: 0, end: 5 } })
    const source = createHttpSource(server.url('/data.bin?version=1'), { origins })
    let version = 0
    return {
      source,
      change: (other: Uint8Array) => resource.change({ bytes: other, version: ++version }),
      remove: () => resource.change({ script: { status: 404 } }),
      [Symbol.asyncDispose]: async () => {
        await source.close()
        await origins.close()
        await server.close()
      },
    }
  }
}

describeSource('createHttpSource(), general lane', { make: make({ useFastLane: false }) })
describeSource('createHttpSource(), general lane over TLS', { make: make({ useFastLane: false, tls: true }) })
describeSource('createHttpSource(), fast lane', { make: make({ isMet: true }) })
describeSource('createHttpSource(), fast lane over TLS', { make: make({ isMet: true, tls: true }) })
describeSource('createHttpSource(), both lanes', { make: make({}) })
describeSource('createHttpSource(), chunked', {
  make: make({ isMet: true, behaviour: { script: { framing: 'chunked' } } }),
})
describeSource('createHttpSource(), server without ranges', {
  make: make({ isMet: true, behaviour: { script: { ignoreRange: true } } }),
  cannot: { ranges: 'the server ignores them' },
})
