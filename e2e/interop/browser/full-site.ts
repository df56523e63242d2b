/** A librarian in whose dashboard every page has something to show, and in all of it a name that is markup. */
import { mkdir, writeFile } from 'node:fs/promises'
import { testBytes } from '../../program/server.ts'
import { openPair, type Pair } from './sites.ts'
import { until } from './until.ts'

/** Where it is taken for markup, it leaves a mark. */
export const markup = '<img src=x onerror="window.hasRun=1">'
/** A file of it. */
export const oddName = `night/${markup}.fits`

export interface FullSite extends Pair {
  /** Of a transfer of the odd file. */
  readonly transfer: number
  /** Of a carried disk. */
  readonly disk: string
}

/** Some went well; then Chile is gone, and Brazil has never been there. */
export async function openFullSite(): Promise<FullSite> {
  const pair = await openPair()
  try {
    await fillWhileAllIsWell(pair)
    await pair.chile.kill()
    await fillAfterwards(pair)
    const { transfers } = await pair.api.dashboard.transfers({ direction: 'out' })
    const { disks } = await pair.api.sneakernet.list({})
    return { ...pair, transfer: transfers.find(each => each.file_name === oddName)!.id, disk: disks[0]!.disk_id }
  } catch (error) {
    await pair[Symbol.asyncDispose]()
    throw error
  }
}

async function fillWhileAllIsWell({ upload, api, person }: Pair): Promise<void> {
  await upload({ 'night/first.fits': testBytes(4_000_000), 'night/second.fits': testBytes(3000), [oddName]: 'odd' })
  await upload({ 'night/gone.fits': 'to be deleted', [`night/gone ${markup}`]: 'to be deleted too' })
  await until('all files are in Chile', async () => {
    const { files } = await api.dashboard.files({ query: 'night/' })
    return files.length === 5 && files.every(each => each.remote_copies === 1)
  })
  for (const name of ['night/gone.fits', `night/gone ${markup}`]) {
    await api.deletion.remove({ file_name: name, store_name: 'files', reason: `no room ${markup}` })
  }
  await person.good(['tasks', 'run', 'scrub', '--librarian', 'peru'])
  const kind = ['--severity', 'critical', '--category', 'data_integrity']
  await person.good(['errors', 'raise', `A person saw ${markup}`, ...kind, '--librarian', 'peru'])
}

async function fillAfterwards({ upload, person: { good, at } }: Pair): Promise<void> {
  await upload({ 'late/third.fits': testBytes(200_000), [`late/${markup}`]: testBytes(9000) })
  const inPeru = (...args: string[]) => good([...args, '--librarian', 'peru'])
  await writeFile(at('of-bo'), 'password-of-bo\n', { mode: 0o600 })
  await inPeru('users', 'add', 'bo', '--level', 'READONLY', '--password-file', at('of-bo'))
  const account = ['--user', 'peru', '--password-file', at('of-bo')]
  await inPeru('librarians', 'add', 'brazil', 'http://127.0.0.1:1', ...account, '--no-check')
  await mkdir(at('disk'))
  await inPeru('sneakernet', 'pack', '--to', 'brazil', '--disk', at('disk'), '--label', `seven ${markup}`)
  await inPeru('destroy', 'propose', oddName, '--reason', `wrong ${markup}`)
}
