import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf, fetchBytes } from '../../test/fetch-bytes.ts'
import { describeListing, listAll } from '../../test/list-suite.ts'
import { HOME, type SftpServer, startSftpServer } from '../../test/sftp-server.ts'
import { sourceContext } from '../../test/source-context.ts'
import { contentOf, describeSource, expectSame } from '../../test/source-suite.ts'
import { createSftpSource } from './sftp.ts'

let directory: string
let server: SftpServer
let context: ReturnType<typeof sourceContext>
let count = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'arriero-sftp-source-'))
  server = await startSftpServer()
  await writeFile(join(directory, 'known_hosts'), server.knownHosts)
  context = sourceContext({
    sftp: {
      username: 'me',
      password: 'secret word',
      knownHosts: join(directory, 'known_hosts'),
      identity: [],
      agent: false,
      config: false,
    },
  })
})
afterAll(async () => {
  await context[Symbol.asyncDispose]()
  await server.close()
  await rm(directory, { recursive: true })
})

const open = (uri: string) => createSftpSource(uri, context)

describeSource('createSftpSource()', {
  async make(content) {
    const path = `/data/content ${++count} %41`
    server.tree.put(path, content)
    return {
      source: open(`${server.origin}${encodeURI(path)}`),
      change: other => server.tree.put(path, other),
      remove: () => server.tree.remove(path),
      [Symbol.asyncDispose]: async () => server.tree.remove(path),
    }
  },
})

describeListing('createSftpSource()', {
  async make(files) {
    const place = `/lists/place ${++count} %41`
    for (const [path, content] of files) server.tree.put(`${place}/${path}`, content)
    return {
      source: open(`${server.origin}${encodeURI(place)}/`),
      open,
      [Symbol.asyncDispose]: async () => {
        for (const path of files.keys()) server.tree.remove(`${place}/${path}`)
      },
    }
  },
})

describe('createSftpSource()', () => {
  test('reads below the login directory what begins with ~', async () => {
    const content = contentOf(5000)
    server.tree.put(`${HOME}/below/here`, content)
    expectSame((await fetchBytes(open(`${server.origin}/~/below/here`))).bytes, content)
    const listed = await listAll(open(`${server.origin}/~/below/`), { isRecursive: true })
    expect(listed).toMatchObject([{ uri: `${server.origin}/~/below/here`, path: 'here', size: 5000 }])
  })

  test('lists what symbolic links to files lead to, and enters no directory by one', async () => {
    server.tree.put('/links/real/a', Buffer.from('content'))
    server.tree.link('/links/link', '/links/real/a')
    server.tree.link('/links/real/loop', '/links')
    server.tree.link('/links/broken', '/nowhere')
    const listed = await listAll(open(`${server.origin}/links/`), { isRecursive: true })
    expect(listed.map(({ path, size }) => [path, size]).sort()).toEqual([
      ['link', 7],
      ['real/a', 7],
    ])
  })

  test('asks again when a directory cannot be read for the moment', async () => {
    server.tree.put('/passing/a', Buffer.from('x'))
    server.behaviour.failingLists = 1
    expect(await listAll(open(`${server.origin}/passing/`), { isRecursive: true })).toHaveLength(1)
  })

  test('rejects a listing that it may not read to its end', async () => {
    server.tree.put('/partly/a', Buffer.from('x'))
    server.tree.put('/partly/b.secret/c', Buffer.from('x'))
    const listing = listAll(open(`${server.origin}/partly/`), { isRecursive: true })
    expect(await failureOf(listing)).toMatchObject({ code: 'Denied' })
  })

  test('says what directories and unreadable files are', async () => {
    server.tree.put('/told/a', Buffer.from('x'))
    server.tree.put('/told/b.secret', Buffer.from('x'))
    expect(await failureOf(fetchBytes(open(`${server.origin}/told`)))).toMatchObject({
      code: 'Unsupported',
      message: expect.stringContaining('it is a directory'),
    })
    expect(await failureOf(fetchBytes(open(`${server.origin}/told/b.secret`)))).toMatchObject({ code: 'Denied' })
  })

  test('rejects with ResourceChanged when the file is written to while it is read, before its last bytes land', async () => {
    server.tree.put('/disturbed', contentOf(6_000_000))
    let landed = 0
    const fetching = fetchBytes(open(`${server.origin}/disturbed`), {
      room: 100_000,
      onAdvance: landing => {
        landed = landing.position
        if (landed !== 100_000) return
        server.tree.put('/disturbed', contentOf(6_000_000, 2))
        landing.give(6_000_000)
      },
    })
    expect(await failureOf(fetching)).toMatchObject({ code: 'ResourceChanged' })
    expect(landed).toBeLessThan(6_000_000)
  })

  test('puts together what comes short and out of order', async () => {
    const content = contentOf(3_000_000)
    server.tree.put('/odd', content)
    let asked = 0
    server.behaviour.onRead = ({ path, length }) => {
      if (path !== '/odd') return undefined
      asked++
      if (asked % 3 === 0) return { is: 'short', length: 1 + ((asked * 7919) % length) }
      return asked % 5 === 0 ? { is: 'late', ms: asked % 20 } : undefined
    }
    for (const room of [3_000_000, 50_000]) {
      const fetching = fetchBytes(open(`${server.origin}/odd`), {
        room,
        onAdvance: landing => void setTimeout(() => landing.give(70_000), 1),
      })
      expectSame((await fetching).bytes, content)
    }
    server.behaviour.onRead = undefined
  })

  test('says the password of a URL nowhere, and opens with it what a listing of that URL names', async () => {
    await using own = sourceContext({ sftp: { ...context.options.sftp, password: undefined } })
    server.tree.put('/named/a', Buffer.from('content'))
    const source = createSftpSource(`sftp://me:secret%20word@127.0.0.1:${server.port}/named/`, own)
    const [listed] = await listAll(source, { isRecursive: true })
    expect(JSON.stringify([source.uri, source.origin, listed])).not.toContain('secret')
    expect((await fetchBytes(createSftpSource(listed?.uri as string, own))).bytes).toHaveLength(7)
  })

  test('refuses URLs that are not what they seem, before it connects', () => {
    for (const url of [
      'sftp:///path',
      'sftp://host:70000/a',
      'sftp://host/a?b',
      'sftp://host/a%zz',
      'sftp://ho%0ast/a',
      'sftp://us%0d%0aer@host/a',
      'sftp://host/a%00b',
    ]) {
      expect(() => open(url), url).toThrow(expect.objectContaining({ code: 'Usage' }))
    }
  })
})
