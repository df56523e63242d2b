/** The search of files as it is typed: the call that the page of files makes at each letter, one at a time. */
import type { AnswerOf, endpoints } from '@arriero/api'
import { timeOf } from '../catalogue/seed.ts'
import type { Figure } from '../librarian/case.ts'
import type { DashboardCase } from './case.ts'
import { headersOf, type Login, logIn } from './log-in.ts'
import type { Site } from './site.ts'
import { NAMES, typings } from './typing.ts'

/** As the page of files asks. */
const PAGE = 50
const LEAST = 500

type Found = AnswerOf<typeof endpoints.dashboard.files>

export const benchSearch: DashboardCase = async (site, { rounds }) => {
  const { url, user, password } = site.served
  const login = await logIn(url, { username: user, password })
  await find(url, login, '')
  const [all, byKind]: [number[], Map<string, number[]>] = [[], new Map()]
  for (let round = 0; round < rounds || all.length < LEAST; round++) {
    for (const { kind, queries, isFound } of typings(await someNames(site))) {
      for (const query of queries) {
        const startedAt = performance.now()
        const { files, more } = await find(url, login, query)
        const took = performance.now() - startedAt
        // PostgreSQL looks through the newest files first, and says that there are more.
        if (isFound && files.length === 0 && !more) throw new Error(`nothing was found by ${query}`)
        byKind.set(kind, [...(byKind.get(kind) ?? []), took])
        all.push(took)
      }
    }
  }
  const figure = (what: string, value: number): Figure => ({ what, unit: 'ms', values: [value] })
  return [
    figure(`p50 of ${all.length} letters`, quantile(all, 0.5)),
    { ...figure(`p95 of ${all.length} letters`, quantile(all, 0.95)), target: '≤ 100 ms' },
    figure(`slowest of ${all.length} letters`, quantile(all, 1)),
    ...[...byKind].map(([kind, taken]) => figure(`p95, ${kind}`, quantile(taken, 0.95))),
  ]
}

/** From everywhere in the catalogue. */
async function someNames({ served, rows }: Site): Promise<string[]> {
  const names: string[] = []
  for (let n = 0; n < NAMES; n++) {
    const time = timeOf(Math.floor(Math.random() * rows))
    const [file] = await served.librarian.search.file({ create_time_window: [time, time] })
    if (!file) throw new Error(`no file was created at ${time}`)
    names.push(file.name)
  }
  return names
}

async function find(url: string, login: Login, query: string): Promise<Found> {
  const response = await fetch(`${url}/api/v2/dashboard/files`, {
    method: 'POST',
    headers: { ...headersOf(login, url), 'content-type': 'application/json' },
    body: JSON.stringify({ query, limit: PAGE }),
  })
  if (!response.ok) throw new Error(`Cannot search ${query}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Found
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
}
