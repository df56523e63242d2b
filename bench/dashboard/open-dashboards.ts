/** What open dashboards cost the server: its CPU with them less its CPU without them, over the same time, in the same rounds. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../librarian/case.ts'
import { upload } from '../librarian/fill.ts'
import type { Served } from '../librarian/serve.ts'
import type { DashboardCase } from './case.ts'
import { openDashboards } from './dashboards.ts'
import { logInPeople } from './log-in.ts'
import { type Page, pages } from './open-dashboard.ts'

/** Each has several pages open. */
const PEOPLE = 20
const UPLOADS_PER_SECOND = 5
const UPLOAD_BYTES = 1024
/** What comes at once when they are opened is over. */
const SETTLED_MS = 5000
const QUIET_PERCENT = 5
const QUIET_WITHIN_MS = 300_000

export const benchOpenDashboards: DashboardCase = async ({ served }, { rounds, seconds, dashboards }) => {
  const logins = await logInPeople(served, PEOPLE)
  await untilQuiet(served)
  let uploaded = 0
  const look = async (page: Page | undefined, hasFlow: boolean): Promise<Look> => {
    await using open = page && (await openDashboards({ url: served.url, logins, count: dashboards, page }))
    await using _flow = hasFlow ? startFlow(served, () => uploaded++) : undefined
    await sleep(SETTLED_MS)
    await open?.calls()
    const share = await shareOfCore(served, seconds)
    return { share, callsPerSecond: ((await open?.calls()) ?? 0) / seconds }
  }
  const met: Record<string, Look[]> = {}
  const note = async (name: string, page: Page | undefined, hasFlow: boolean) => {
    met[name] = [...(met[name] ?? []), await look(page, hasFlow)]
  }
  for (let round = 0; round < rounds; round++) {
    await note('idle', undefined, false)
    await note('idle overview', 'overview', false)
    await note('flow', undefined, true)
    for (const page of pages) await note(`flow ${page}`, page, true)
  }
  const shares = (name: string) => met[name]!.map(({ share }) => share)
  const percent = (what: string, values: readonly number[]): Figure => ({ what, unit: '% of a core', values })
  const more = (name: string, less: string, what: string): Figure => ({
    ...percent(
      what,
      shares(name).map((share, round) => share - shares(less)[round]!),
    ),
    target: '≤ 10 %',
  })
  const uploads = `${UPLOADS_PER_SECOND} uploads/s`
  return [
    percent('nobody looks, idle', shares('idle')),
    more('idle overview', 'idle', `${dashboards} on the Overview more, idle`),
    percent(`nobody looks, ${uploads}`, shares('flow')),
    ...pages.flatMap(page => [
      more(`flow ${page}`, 'flow', `${dashboards} on the ${titles[page]} more, ${uploads}`),
      {
        what: `calls of those on the ${titles[page]}`,
        unit: 'calls/s',
        values: met[`flow ${page}`]!.map(({ callsPerSecond }) => callsPerSecond),
      },
    ]),
  ]
}

const titles: Record<Page, string> = { overview: 'Overview', transfers: 'Transfers' }

interface Look {
  /** Percent. */
  readonly share: number
  readonly callsPerSecond: number
}

/** After a start a server looks after what it finds: copies that nobody has read, a backup. */
async function untilQuiet(served: Served): Promise<void> {
  for (const end = performance.now() + QUIET_WITHIN_MS; (await shareOfCore(served, 5)) > QUIET_PERCENT; ) {
    if (performance.now() > end) throw new Error(`the server is not quiet within ${QUIET_WITHIN_MS / 1000} s`)
  }
}

async function shareOfCore(served: Served, seconds: number): Promise<number> {
  const [cpu, startedAt] = [await served.cpuSeconds(), performance.now()]
  await sleep(seconds * 1000)
  const used = (await served.cpuSeconds()) - cpu
  return (100_000 * used) / (performance.now() - startedAt)
}

/** Small files, one after the other, at a steady pace until it is ended. */
function startFlow(served: Served, next: () => number): AsyncDisposable {
  const ending = new AbortController()
  const flow = async () => {
    for (let at = performance.now(); !ending.signal.aborted; at += 1000 / UPLOADS_PER_SECOND) {
      await upload(served, [next()], UPLOAD_BYTES)
      const rest = at + 1000 / UPLOADS_PER_SECOND - performance.now()
      if (rest > 0) await sleep(rest, undefined, ending).catch(() => {})
    }
  }
  const flowing = flow()
  // Told to whoever ends it.
  flowing.catch(() => {})
  return {
    async [Symbol.asyncDispose]() {
      ending.abort()
      await flowing
    },
  }
}
