/**
 * Runs in the sender's namespace: two librarians, one on each side of the link, and three sorts of files, each sent once over the
 * link as it is and once while it is cut every 10 s. Prints a line of JSON for each.
 */
import { createCipheriv } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describeContent, type MemoryContent } from '../../../packages/librarian/src/stores/memory-content.ts'
import { begin, counted, encryptionKey, introduce, receiving, sending } from '../clone.ts'
import { type Served, serve } from '../serve.ts'
import { payloadArrived } from './counters.ts'
import { watchLink } from './cuts.ts'
import { addresses } from './namespaces.ts'

export interface Drive {
  readonly directory: string
  readonly sender: string
  readonly receiver: string
  readonly rounds: number
}

export interface Crossing {
  readonly label: string
  readonly isCut: boolean
  /** Bytes of files. */
  readonly bytes: number
  /** While the link was up, from the first bytes of files to the last. */
  readonly seconds: number
  /** From the last bytes until all was durable at the receiver. */
  readonly keeping: number
  readonly cuts: number
  readonly resumed: readonly number[]
  /** Bytes of TCP payload that arrived beside those of the files. */
  readonly beside: number
}

interface Sort {
  readonly label: string
  make(round: string): Record<string, MemoryContent>
}

const MIB = 2 ** 20
const random = createCipheriv('aes-256-ctr', Buffer.alloc(32, 9), Buffer.alloc(16))
/** Nothing compresses them. */
const bytesOf = (count: number) => new Uint8Array(random.update(Buffer.alloc(count)))

const sorts: readonly Sort[] = [
  { label: '3 × 60 MiB', make: round => filesOf(3, 60 * MIB, n => `${round}/large/${n}`) },
  { label: '400 × 256 KiB', make: round => filesOf(400, MIB / 4, n => `${round}/small/${n}`) },
  {
    label: 'a tree of 100 MiB',
    make: round => {
      const members = { ...filesOf(2, 30 * MIB, n => `large/${n}`), ...filesOf(80, MIB / 2, n => `small/${n}`) }
      return { [`${round}/tree`]: new Map(Object.entries(members)) }
    },
  },
]

function filesOf(count: number, size: number, name: (n: number) => string): Record<string, Uint8Array> {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [name(n), bytesOf(size)]))
}

const port = 21106

async function drive({ directory, rounds, ...namespaces }: Drive): Promise<void> {
  const [home, away] = [join(directory, 'home'), join(directory, 'away')]
  await mkdir(home)
  await mkdir(away)
  await using a = await serve(home, {
    name: 'a',
    host: addresses.sender,
    port,
    encryptionKey,
    background: sending(['b']),
  })
  await using b = await serve(away, {
    name: 'b',
    host: addresses.receiver,
    port,
    encryptionKey,
    background: receiving(),
    within: ['ip', 'netns', 'exec', namespaces.receiver],
  })
  await introduce(a, 'a', b, 'b')
  // There is nothing to be sent yet.
  await begin(a, 'a', b, 'b')
  await a.librarian.admin.transferStatusChange({ librarian_name: 'b', transfers_enabled: false })
  let kept = 0
  for (let round = 0; round < rounds; round++) {
    for (const { label, make } of sorts) {
      for (const isCut of [false, true]) {
        const files = make(`${round}${isCut ? 'cut' : ''}`)
        kept += Object.keys(files).length
        const bytes = await upload(a, files)
        const before = payloadArrived(namespaces.receiver)
        await a.librarian.admin.transferStatusChange({ librarian_name: 'b', transfers_enabled: true })
        await sendNow(a)
        const watch = watchLink(namespaces.sender, { isCut })
        await untilKept(away, "instance WHERE state = 'ok'", kept)
        const keptAt = performance.now()
        await untilKept(home, 'remote_instance', kept)
        await watch.stop()
        const { cuts, resumed, seconds, endedAt } = watch.flow()
        const keeping = Math.max(0, keptAt - endedAt) / 1000
        const beside = payloadArrived(namespaces.receiver) - before - bytes
        const crossing: Crossing = { label, isCut, bytes, seconds, keeping, cuts, resumed, beside }
        console.log(JSON.stringify(crossing))
        await a.librarian.admin.transferStatusChange({ librarian_name: 'b', transfers_enabled: false })
      }
    }
  }
}

/** @returns how many bytes they have */
async function upload({ librarian, user }: Served, files: Record<string, MemoryContent>): Promise<number> {
  const entries = Object.entries(files)
  const described = await Promise.all(entries.map(([, content]) => describeContent(content, undefined)))
  const { outcomes } = await librarian.upload.batchStage({
    uploader: user,
    uploads: entries.map(([name], at) => ({
      upload_size: described[at]!.size,
      upload_checksum: described[at]!.checksum,
      upload_name: name.split('/').at(-1)!,
      destination_location: name,
    })),
  })
  const commits: { transfer_id: number }[] = []
  for (const [at, outcome] of outcomes.entries()) {
    if (!outcome.success) throw new Error(`announcing failed: ${JSON.stringify(outcome)}`)
    await write(outcome.staging_location, entries[at]![1])
    commits.push({ transfer_id: outcome.transfer_id })
  }
  const failed = (await librarian.upload.batchCommit({ commits })).outcomes.find(({ success }) => !success)
  if (failed) throw new Error(`a commit failed: ${JSON.stringify(failed)}`)
  return described.reduce((sum, { size }) => sum + size, 0)
}

async function write(path: string, content: MemoryContent): Promise<void> {
  if (content instanceof Uint8Array) return await writeFile(path, content)
  for (const [member, bytes] of content) {
    await mkdir(dirname(join(path, member)), { recursive: true })
    if (bytes) await writeFile(join(path, member), bytes)
  }
}

/** By the catalogue, looked at from outside. */
async function untilKept(directory: string, rows: string, count: number): Promise<void> {
  const limit = performance.now() + 300_000
  for (;;) {
    const met = await counted(directory, `SELECT COUNT(*) AS n FROM ${rows}`)
    if (met === count) return
    if (performance.now() > limit) throw new Error(`after 300 s there are ${met} of ${count}: ${rows}`)
    await sleep(50)
  }
}

await drive(JSON.parse(process.argv[2] as string))

async function sendNow({ librarian }: Served): Promise<void> {
  const { tasks } = await librarian.tasks.list()
  const task = tasks.find(({ name }) => name === 'send to b')
  if (!task) throw new Error('there is no task that sends to b')
  await librarian.tasks.run({ id: task.id })
}
