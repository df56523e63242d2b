/**
 * From one librarian to another over a link of 50 Mbit/s (a token bucket between two network namespaces) that is cut every 10 s for
 * 2 s. What counts is the time in which the link is there, from the first bytes of files to the last; how long the receiver then
 * takes until all are durable is told beside it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CaseOptions, Figure } from './case.ts'
import type { Crossing, Drive } from './link/drive.ts'
import { LINK_GOODPUT, openNamespaces, whyNoNamespaces } from './link/namespaces.ts'

const program = new URL('./link/drive.ts', import.meta.url).pathname

export async function benchLink({ directory, rounds }: CaseOptions): Promise<Figure[]> {
  const missing = whyNoNamespaces()
  if (missing !== undefined) {
    console.log(`NOT RUN link: ${missing}`)
    return []
  }
  const root = join(directory, 'link')
  await mkdir(root)
  const interrupted = new AbortController()
  const interrupt = () => interrupted.abort(new Error('interrupted'))
  const namespaces = openNamespaces()
  // What else is loaded may end the process at a signal, before anything is waited for.
  const end = () => {
    namespaces[Symbol.dispose]()
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt).once('exit', end)
  try {
    const { sender, receiver } = namespaces
    return figuresOf(await run(sender, { directory: root, sender, receiver, rounds }, interrupted.signal))
  } finally {
    namespaces[Symbol.dispose]()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt).off('exit', end)
  }
}

async function run(namespace: string, options: Drive, signal: AbortSignal): Promise<Crossing[]> {
  const args = ['netns', 'exec', namespace, process.execPath, program, JSON.stringify(options)]
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  // Whatever is left in the namespaces ends with them.
  const kill = () => child.kill('SIGKILL')
  signal.addEventListener('abort', kill, { once: true })
  const exit = once(child, 'exit')
  const told: Buffer[] = await child.stdout.toArray()
  const [code] = await exit
  signal.throwIfAborted()
  if (code !== 0) throw new Error('the librarians did not come to an end')
  return Buffer.concat(told)
    .toString()
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Crossing)
}

function figuresOf(crossings: readonly Crossing[]): Figure[] {
  return [...new Set(crossings.map(({ label }) => label))].flatMap(label => {
    const of = (isCut: boolean) => crossings.filter(one => one.label === label && one.isCut === isCut)
    const [whole, cut] = [of(false), of(true)]
    const twice = cut.map(({ beside }, round) => (beside - whole[round]!.beside) / 2 ** 20)
    return [
      { what: `${label}: link as it is`, unit: 'Mbit/s', values: whole.map(rate), isBaseline: true },
      { what: `${label}: link cut every 10 s`, unit: 'Mbit/s', values: cut.map(rate) },
      {
        what: `${label}: of the link's goodput`,
        unit: '%',
        values: cut.map(one => (rate(one) * 1e8) / LINK_GOODPUT),
        target: '≥ 90 %',
      },
      { what: `${label}: durable after the last byte`, unit: 's', values: cut.map(({ keeping }) => keeping) },
      {
        what: `${label}: beside the files, link as it is`,
        unit: 'MiB',
        values: whole.map(({ beside }) => beside / 2 ** 20),
      },
      { what: `${label}: sent twice`, unit: 'MiB', values: twice, target: '0 beyond parts in flight' },
      { what: `${label}: cuts`, unit: '', values: cut.map(({ cuts }) => cuts) },
      { what: `${label}: flows again after`, unit: 's', values: cut.flatMap(({ resumed }) => resumed) },
    ]
  })
}

/** Mbit/s of files while the link was there. */
function rate({ bytes, seconds }: Crossing): number {
  return (bytes * 8) / 1e6 / seconds
}
