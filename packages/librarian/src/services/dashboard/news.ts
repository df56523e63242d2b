/** What is new for those who look at a dashboard: each thing is told when it changed, alike to all who may look at it. */
import type { Level } from '@arriero/api'
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { Pulse } from '../../catalogue/operations/overview.ts'

export interface NewsItem {
  readonly event: 'overview' | Topic
  /** JSON. */
  readonly data: string
  /** Whoever comes later is told it too. */
  readonly lasts: boolean
  /** Least level of those who hear of it: that of the page that shows it. */
  readonly level: Level
}

const topics = {
  transfers: 'READONLY',
  tasks: 'READONLY',
  errors: 'READONLY',
  audit: 'ADMIN',
  users: 'ADMIN',
  trash: 'ADMIN',
} as const satisfies Partial<Record<keyof Pulse, Level>>

type Topic = keyof typeof topics

export interface NewsOptions<Overview> {
  /** As the wire has it. */
  readonly overview: () => Promise<Overview>
  readonly catalogue: Pick<Catalogue, 'overview'>
}

/** What has changed since the call before; the first call tells the overview. */
export function createNews<Overview extends { readonly time: string }>(
  options: NewsOptions<Overview>,
): () => Promise<NewsItem[]> {
  let told: string | undefined
  let pulse: Pulse | undefined

  return async () => {
    const [overview, next] = await Promise.all([options.overview(), options.catalogue.overview.pulse()])
    const items: NewsItem[] = []
    // Its time alone is no news.
    const { time: _, ...rest } = overview
    const content = JSON.stringify(rest)
    if (content !== told)
      items.push({ event: 'overview', data: JSON.stringify(overview), lasts: true, level: 'READONLY' })
    for (const [event, level] of Object.entries(topics) as [Topic, Level][]) {
      if (pulse && pulse[event] !== next[event]) items.push({ event, data: '{"changed":true}', lasts: false, level })
    }
    told = content
    pulse = next
    return items
  }
}
