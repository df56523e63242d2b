/** `clone/bundle` as a receiver sees it: an archive of what is good, in the order of the names, and nothing else (decision 0031). */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { type ArchiveEntry, ArchiveReader } from '@arriero/transfer'
import { expect, test } from 'vitest'
import { asUser } from './raw-app.ts'
import { type Giver, startGiver, until } from './two-librarians.ts'

const text = (content: string) => new Uint8Array(Buffer.from(content))

function ask({ app }: Giver, names: unknown, user = 'b'): Promise<Response> {
  return fetch(`${app.origin}/api/v2/clone/bundle`, {
    method: 'POST',
    headers: { ...asUser(user), 'content-type': 'application/json' },
    body: JSON.stringify({ names }),
  })
}

async function filesIn(response: Response): Promise<[string, string, string][]> {
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/x-tar'])
  const found: [string, string, string][] = []
  let entry: ArchiveEntry | undefined
  let bytes: Buffer[] = []
  const reader = new ArchiveReader({
    begin(next) {
      ;[entry, bytes] = [next, []]
      if (next.type === 'directory') found.push([next.path, next.type, ''])
    },
    bytes: piece => void bytes.push(Buffer.from(piece)),
    finish: () => void found.push([entry!.path, entry!.type, Buffer.concat(bytes).toString('latin1')]),
  })
  reader.write(new Uint8Array(await response.arrayBuffer()))
  reader.end()
  return found
}

test('files come in the order in which they are asked for, members of trees too, of a tree only that it is one', async () => {
  const large = randomBytes(1_300_000)
  const files = {
    a: text('first'),
    'b/c': text(''),
    d: new Uint8Array(large),
    tree: new Map([['in/e', text('member')]]),
  }
  await using giver = await startGiver({ files })
  expect(await filesIn(await ask(giver, ['d', 'tree', 'a', 'tree/in/e', 'b/c', 'a']))).toEqual([
    ['d', 'file', large.toString('latin1')],
    ['tree', 'directory', ''],
    ['a', 'file', 'first'],
    ['tree/in/e', 'file', 'member'],
    ['b/c', 'file', ''],
    ['a', 'file', 'first'],
  ])
})

test('it ends in good order before what cannot be sent; where that is the first, the answer says why', async () => {
  await using giver = await startGiver({ files: { a: text('a'), bad: text('bad'), c: text('c') } })
  const names = async (asked: string[]) => (await filesIn(await ask(giver, asked))).map(([name]) => name)
  expect(await names(['a', 'none', 'c'])).toEqual(['a'])
  const none = await ask(giver, ['none', 'c'])
  expect([none.status, ((await none.json()) as { code: string }).code]).toEqual([404, 'NotFound'])
  // Read in full by somebody, and found to be other bytes: no longer given to anybody.
  const { catalogue } = giver.world.ground
  const [bytes] = await catalogue.serving.many({ names: ['bad'] })
  const found = {
    outcome: 'mismatch',
    medium: 'medium',
    sha256: null,
    size: null,
    checksum: null,
    fingerprint: null,
  } as const
  await catalogue.readings.record({ by: 'here', readings: [{ instanceId: bytes!.copies[0]!.id, ...found }] })
  expect(await names(['a', 'bad', 'c'])).toEqual(['a'])
  const bad = await ask(giver, ['bad'])
  expect([bad.status, ((await bad.json()) as { code: string }).code]).toEqual([409, 'NoGoodCopy'])
})

test.each([[[]], [undefined], [['a', 5]], [Array(1025).fill('a')], ['a']])(
  'names that are none are refused: %#',
  async names => {
    await using giver = await startGiver({ files: { a: text('a') } })
    expect((await ask(giver, names)).status).toBe(422)
  },
)

test('a caller who takes nothing holds nothing up, and leaves nothing behind', async () => {
  await using giver = await startGiver({ files: { big: new Uint8Array(randomBytes(1_000_000)) } })
  const body = JSON.stringify({ names: Array(400).fill('big') })
  const socket = connect(giver.app.port, '127.0.0.1')
  socket.pause()
  const head = `POST /api/v2/clone/bundle HTTP/1.1\r\nhost: x\r\nauthorization: ${asUser('b').authorization}\r\n`
  socket.write(`${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await until(() => giver.requests.length === 1)
  expect(await filesIn(await ask(giver, ['big']))).toHaveLength(1)
  socket.destroy()
  await until(() => giver.ended.length === 2)
})
