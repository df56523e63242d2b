/** Small files that lie on the store's disk already: announced, copied to the staging area, committed, durable. */
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createPathDigester } from '@arriero/transfer'
import { startPostgres } from '../../packages/librarian/test/postgres.ts'
import { makeSmallFiles, smallFileBytes } from '../inputs.ts'
import { type CaseOptions, type Figure, seconds } from './case.ts'
import { run } from './command.ts'
import { type Served, serve } from './serve.ts'

const batch = 500
const batchesAtOnce = 4

export async function benchCommit(options: CaseOptions): Promise<Figure[]> {
  const root = join(options.directory, 'commit')
  await mkdir(root)
  const { directory, names } = await makeSmallFiles(root, options.files)
  await using digester = createPathDigester()
  const checksums = await Promise.all(
    names.map(async name => {
      const { digests } = await digester.digest(join(directory, name), { functions: ['xxh3'] })
      return `xxh3:::${digests.xxh3}`
    }),
  )
  const files = names.map((name, index) => ({ name, path: join(directory, name), checksum: checksums[index]! }))
  const figures: Figure[] = [await coreutils(directory, options)]
  const engines = { embedded: '≥ 1,500 files/s', postgres: '≥ 1,000 files/s' }
  for (const [engine, target] of Object.entries(engines)) {
    const postgres = engine === 'postgres' ? await startPostgres() : undefined
    if (engine === 'postgres' && !postgres) continue
    try {
      const home = join(root, engine)
      await mkdir(home)
      await using served = await serve(home, { catalogue: await postgres?.createDatabase() })
      const [whole, calls, cpu]: [number[], number[], number[]] = [[], [], []]
      for (let round = 0; round < options.rounds; round++) {
        const cpuBefore = await served.cpuSeconds()
        const { wholeSeconds, copySeconds } = await upload(served, files, `round-${round}`)
        whole.push(files.length / wholeSeconds)
        calls.push(files.length / (wholeSeconds - copySeconds))
        cpu.push((await served.cpuSeconds()) - cpuBefore)
      }
      figures.push(
        { what: `${engine}: announce, commit`, unit: 'files/s', values: calls, target },
        { what: `${engine}: announce, copy, commit`, unit: 'files/s', values: whole },
        { what: `${engine}: CPU of the server`, unit: 's', values: cpu },
      )
    } finally {
      await postgres?.end()
    }
  }
  await rm(root, { recursive: true, force: true })
  return figures
}

/** What a person would do with coreutils: copy, make durable, digest. */
async function coreutils(directory: string, { rounds, files }: CaseOptions): Promise<Figure> {
  const values: number[] = []
  for (let round = 0; round < rounds; round++) {
    const copy = `${directory}-copy-${round}`
    await run(['sync'])
    const took = await seconds(async () => {
      await run(['cp', '-r', directory, copy])
      await run(['sync', '-f', copy])
      await run(['sh', '-c', `cd '${copy}' && sha256sum * > /dev/null`])
    })
    values.push(files / took)
  }
  // They stay until all is measured: ext4 without a journal makes files slowly for minutes after many were removed.
  return { what: 'cp, sync, sha256sum', unit: 'files/s', values, isBaseline: true }
}

interface SmallFile {
  readonly name: string
  readonly path: string
  readonly checksum: string
}

/** Copying is counted as the time in which nothing but copying went on. */
async function upload(served: Served, files: readonly SmallFile[], prefix: string) {
  let copySeconds = 0
  const queue = Array.from({ length: Math.ceil(files.length / batch) }, (_, index) =>
    files.slice(index * batch, (index + 1) * batch),
  )
  const wholeSeconds = await seconds(async () => {
    const work = async () => {
      for (let some = queue.shift(); some; some = queue.shift()) {
        copySeconds += (await uploadBatch(served, some, prefix)) / batchesAtOnce
      }
    }
    await Promise.all(Array.from({ length: batchesAtOnce }, work))
  })
  return { wholeSeconds, copySeconds }
}

async function uploadBatch({ librarian, user }: Served, files: readonly SmallFile[], prefix: string): Promise<number> {
  const { outcomes } = await librarian.upload.batchStage({
    uploader: user,
    uploads: files.map(({ name, checksum }) => ({
      upload_size: smallFileBytes,
      upload_checksum: checksum,
      upload_name: name,
      destination_location: `${prefix}/${name.slice(0, 4)}/${name}`,
    })),
  })
  const staged = outcomes.map(outcome => {
    if (!outcome.success) throw new Error(`announcing failed: ${JSON.stringify(outcome)}`)
    return outcome
  })
  const copySeconds = await seconds(() =>
    Promise.all(staged.map(({ staging_location }, index) => copyFile(files[index]!.path, staging_location))),
  )
  const { outcomes: commits } = await librarian.upload.batchCommit({
    commits: staged.map(({ transfer_id }) => ({ transfer_id })),
  })
  const failed = commits.find(({ success }) => !success)
  if (failed) throw new Error(`a commit failed: ${JSON.stringify(failed)}`)
  return copySeconds
}
