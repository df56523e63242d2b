/** What a scrape by Prometheus costs the server: one that has it look at its catalogue anew, and one right after. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figure } from '../librarian/case.ts'
import type { Served } from '../librarian/serve.ts'
import type { DashboardCase } from './case.ts'

const MIB = 2 ** 20
/** What was seen counts for so long at least; and for twenty times as long as looking took. */
const KEPT_MS = 6000
const SHARE = 21
/** Looks go on behind an answer that did not wait for them. */
const SETTLED_MS = 500

export const benchMetrics: DashboardCase = async ({ served }, { rounds }) => {
  const before = await served.rss()
  const first = await scrape(served)
  const [took, cpu, again]: [number[], number[], number[]] = [[], [], []]
  let longest = first.ms
  for (let round = 0; round < rounds; round++) {
    await sleep(Math.max(KEPT_MS, SHARE * longest))
    const anew = await scrape(served)
    longest = Math.max(anew.ms, anew.cpuMs)
    took.push(anew.ms)
    cpu.push(anew.cpuMs)
    again.push((await scrape(served)).ms)
  }
  const figure = (what: string, unit: string, values: readonly number[]): Figure => ({ what, unit, values })
  return [
    figure('the first scrape', 'ms', [first.ms]),
    figure('a scrape that looks anew', 'ms', took),
    figure('CPU of that scrape', 'ms', cpu),
    figure('a scrape right after', 'ms', again),
    figure('its text', 'KiB', [first.bytes / 1024]),
    figure('resident memory, more than before', 'MiB', [((await served.rss()) - before) / MIB]),
  ]
}

interface Scrape {
  readonly ms: number
  readonly cpuMs: number
  readonly bytes: number
}

async function scrape(served: Served): Promise<Scrape> {
  const cpu = await served.cpuSeconds()
  const startedAt = performance.now()
  const response = await fetch(`${served.url}/metrics`)
  const text = await response.text()
  const ms = performance.now() - startedAt
  if (!response.ok) throw new Error(`Cannot scrape: ${response.status} ${text}`)
  await sleep(SETTLED_MS)
  return { ms, cpuMs: ((await served.cpuSeconds()) - cpu) * 1000, bytes: Buffer.byteLength(text) }
}
