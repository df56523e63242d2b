import type { FtpBehaviour } from '../../test/ftp-server/behaviour.ts'
import { startFtpServer } from '../../test/ftp-server/ftp-server.ts'
import { describeListing } from '../../test/list-suite.ts'
import { sourceContext } from '../../test/source-context.ts'
import { describeSource } from '../../test/source-suite.ts'
import { createFtpSource } from './ftp.ts'

const TIMEOUTS = { connectMs: 2000, firstByteMs: 2000, idleMs: 2000 }

async function start(behaviour: Partial<FtpBehaviour>) {
  const server = await startFtpServer(behaviour)
  const isExplicit = behaviour.tls === 'explicit'
  const context = sourceContext(
    { ftp: isExplicit ? { tls: 'explicit' } : {} },
    { timeouts: TIMEOUTS, tls: server.ca === '' ? {} : { ca: server.ca } },
  )
  const close = async () => {
    await context[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
  return { server, open: (uri: string) => createFtpSource(uri, context), close }
}

function subjects(behaviour: Partial<FtpBehaviour> = {}) {
  return async (content: Uint8Array) => {
    const { server, open, close } = await start(behaviour)
    const path = '/pub/content %41'
    let time = Date.UTC(2024, 1, 29, 12, 34, 56)
    server.tree.put(path, content, time)
    return {
      source: open(`${server.origin}/pub/content%20%2541`),
      change(other: Uint8Array) {
        time += 1000
        server.tree.put(path, other, time)
      },
      remove: () => void server.tree.files.delete(path),
      [Symbol.asyncDispose]: close,
    }
  }
}

function places(behaviour: Partial<FtpBehaviour> = {}) {
  return async (files: ReadonlyMap<string, Uint8Array>) => {
    const { server, open, close } = await start(behaviour)
    server.tree.directories.add('/some place')
    for (const [path, content] of files) server.tree.put(`/some place/${path}`, content, Date.now())
    return { source: open(`${server.origin}/some%20place/`), open, [Symbol.asyncDispose]: close }
  }
}

const old: Partial<FtpBehaviour> = { features: undefined, lists: ['LIST', 'NLST'], isEpsvKnown: false }

describeSource('createFtpSource()', { make: subjects() })
describeSource('createFtpSource(), a server with little more than RFC 959', { make: subjects(old) })
describeSource('createFtpSource(), explicit TLS', { make: subjects({ tls: 'explicit', needsReuse: true }) })
describeSource('createFtpSource(), implicit TLS', { make: subjects({ tls: 'implicit', needsReuse: true }) })
describeSource('createFtpSource(), without REST', {
  make: subjects({ ...old, isRestKnown: false }),
  cannot: { ranges: 'the server refuses REST', parallel: 'parts need REST' },
})

describeListing('createFtpSource() by MLSD', { make: places() })
describeListing('createFtpSource() by LIST', { make: places(old) })
describeListing('createFtpSource() by LIST of DOS', { make: places({ ...old, style: 'dos' }) })
describeListing('createFtpSource() by NLST', {
  make: places({ ...old, lists: ['NLST'] }),
  cannot: { time: 'it would take a command for every name' },
})
describeListing('createFtpSource() by NLST with paths', {
  make: places({ ...old, lists: ['NLST'], hasNamePaths: true }),
  cannot: { time: 'it would take a command for every name' },
})
describeListing('createFtpSource(), implicit TLS', { make: places({ tls: 'implicit', needsReuse: true }) })
